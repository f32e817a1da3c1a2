using Sidecar.Dicom.Text;
using Sidecar.Dicom.Text.Kinds;
using Xunit;

namespace Sidecar.Tests.Dicom.Text.Kinds;

/// <summary>What readers make of burned-in lines, and what those lines are. All persons are invented.</summary>
public sealed class FindingClassifierTests
{
    private static readonly HarmlessWords Harmless = HarmlessWords.Load();

    // Names: any order, initials, run together, misread, other alphabets
    [Theory]
    [InlineData("Stiles^John", "John Stiles")]
    [InlineData("Stiles^John", "STILES, JOHN")]
    [InlineData("Stiles^John", "Name: John Stiles")]
    [InlineData("Stiles^John", "JOHNSTILES")]
    [InlineData("Stiles^John", "Stiies John")]
    [InlineData("Stiles^John", "J. Stiles")]
    [InlineData("Stiles^John", "5TILES")]
    [InlineData("Stiles^John", "Name:JohnStiles")]
    [InlineData("Stiles^John^Quincy^Dr^Jr", "QUINCY")]
    [InlineData("Bernhardt^Anna", "Bemhardt")]
    [InlineData("Müller^Jürgen", "Muller")]
    [InlineData("Müller^Jürgen", "MUELLER JUERGEN")]
    [InlineData("MUELLER^JUERGEN", "Müller, Jürgen")]
    [InlineData("Groß^Ida", "GROSS")]
    [InlineData("Núñez^José", "NUNEZ")]
    [InlineData("Łukasiewicz^Żaneta", "Lukasiewicz")]
    [InlineData("Lee^Ann", "LEE")]
    [InlineData("Ng^Kai", "NG KAI")]
    [InlineData("Иванов^Пётр", "Ivanov")]
    [InlineData("Ivanov^Petr", "ИВАНОВ ПЕТР")]
    [InlineData("Παπαδόπουλος^Νίκος", "PAPADOPOULOS")]
    [InlineData("Yamada^Tarou=山田^太郎=やまだ^たろう", "山田太郎")]
    [InlineData("Yamada^Tarou=山田^太郎=やまだ^たろう", "YAMADA")]
    [InlineData("Hong^Gildong=洪^吉洞=홍^길동", "홍길동")]
    [InlineData("Patient^Test", "TEST PATIENT")]
    [InlineData("Smith-Jones^Mary", "SMITH-JONES")]
    [InlineData("Van der Berg^Piet", "v.d. Berg, P.")]
    [InlineData("O'Brien^Sean", "OBRIEN")]
    public void A_name_is_found_however_it_is_written(string name, string read) => AssertMatch(FindingKind.PersonName, "PatientName", read, ("PatientName", ValueForm.PersonName, name));

    [Theory]
    [InlineData("Patient^Test", "Patient ID:")]
    [InlineData("Li^Na", "Li 40")]
    [InlineData("Lee^Ann", "FLEX LEE WAY OUT")]
    [InlineData("Stiles^John", "Standards of work")]
    [InlineData("Berg^Ute", "WINDOW 400")]
    public void A_name_is_not_found_in_other_words(string name, string read)
    {
        var known = Known(("PatientName", ValueForm.PersonName, name));
        Assert.Null(Classify(read, known).MatchedAttribute);
    }

    // 1942-05-12 is the birth date, 2018-10-23 the study date
    [Theory]
    [InlineData("DOB: 05/12/42", "PatientBirthDate")]
    [InlineData("12.05.1942", "PatientBirthDate")]
    [InlineData("12.5.42", "PatientBirthDate")]
    [InlineData("1942-05-12", "PatientBirthDate")]
    [InlineData("19420512", "PatientBirthDate")]
    [InlineData("12051942", "PatientBirthDate")]
    [InlineData("I2.O5.l942", "PatientBirthDate")]
    [InlineData("12 MAY 42", "PatientBirthDate")]
    [InlineData("12May42", "PatientBirthDate")]
    [InlineData("geb. 12. Mai 1942", "PatientBirthDate")]
    [InlineData("12 mai 1942", "PatientBirthDate")]
    [InlineData("12 de mayo de 1942", "PatientBirthDate")]
    [InlineData("12 maggio 1942", "PatientBirthDate")]
    [InlineData("2018 Oct 23", "StudyDate")]
    [InlineData("Oct 23, 2018", "StudyDate")]
    [InlineData("October 23rd 2018", "StudyDate")]
    [InlineData("23. Okt. 2018", "StudyDate")]
    [InlineData("23 octobre 2018", "StudyDate")]
    [InlineData("23-OTT-2018", "StudyDate")]
    [InlineData("10/23/18 14:23", "StudyDate")]
    [InlineData("2018年10月23日", "StudyDate")]
    [InlineData("20181023142353", "StudyDate")]
    [InlineData("23.1O.2018", "StudyDate")]
    [InlineData("2018/10/28", "StudyDate")] // one digit misread
    [InlineData("14:23:53", "StudyTime")]
    [InlineData("Img Tm: 14:23:53", "StudyTime")]
    [InlineData("2:23:53 PM", "StudyTime")]
    [InlineData("14:23", "StudyTime")]
    [InlineData("Age: 76", "PatientAge")]
    [InlineData("76 yrs", "PatientAge")]
    [InlineData("M/076Y", "PatientAge")]
    [InlineData("Alter 76 J", "PatientAge")]
    public void A_date_a_time_and_an_age_are_found_in_all_their_forms(string read, string attribute) => AssertMatch(FindingKind.Date, attribute, read,
        ("PatientBirthDate", ValueForm.Date, "19420512"), ("StudyDate", ValueForm.Date, "20181023"), ("StudyTime", ValueForm.Time, "142353.120"), ("PatientAge", ValueForm.Age, "076Y"));

    [Fact]
    public void An_age_is_told_from_the_birth_date_where_no_attribute_holds_it() =>
        AssertMatch(FindingKind.Date, "PatientBirthDate", "Age: 76", ("PatientBirthDate", ValueForm.Date, "19420512"), ("StudyDate", ValueForm.Date, "20181023"));

    [Theory]
    [InlineData("0545234234325V", "Acc: 0545234234325V", "AccessionNumber")]
    [InlineData("0545234234325V", "O54523423432SV", "AccessionNumber")]
    [InlineData("0545234234325V", "545234234325V", "AccessionNumber")]
    [InlineData("0545234234325V", "O545284234325V", "AccessionNumber")]
    [InlineData("A-12 345.67", "A1234567", "AccessionNumber")]
    [InlineData("1234", "1234", "AccessionNumber")]
    [InlineData("42", "ID 42", "AccessionNumber")]
    public void A_number_is_found_with_misread_digits_and_other_spaces(string value, string read, string attribute) =>
        AssertMatch(FindingKind.Identifier, attribute, read, (attribute, ValueForm.Identifier, value));

    [Theory]
    [InlineData("42", "42")]
    [InlineData("1", "1")]
    [InlineData("123", "W 123 L 40")]
    public void A_short_number_matches_only_beside_its_label(string value, string read) =>
        Assert.Null(Classify(read, Known(("StudyID", ValueForm.Identifier, value))).MatchedAttribute);

    [Theory]
    [InlineData("Mccoy Medical Clinic", "Institution Name: Mccoy Medical Clinic")]
    [InlineData("Mccoy Medical Clinic", "McCoy Clinic")]
    [InlineData("Universitätsklinikum Heidelberg", "Univ.-Klinikum Heidelberg")]
    [InlineData("Universitätsklinikum Heidelberg", "UNIVERSITAETSKLINIKUM HEIDELBERG")]
    [InlineData("USROOM2", "USR00M2")]
    public void An_institution_is_found_shortened_too(string value, string read) => AssertMatch(FindingKind.Institution, "InstitutionName", read, ("InstitutionName", ValueForm.Institution, value));

    [Fact]
    public void Of_two_values_the_person_counts_first() =>
        AssertMatch(FindingKind.PersonName, "PatientName", "STILES 12.05.1942 0545234", ("PatientBirthDate", ValueForm.Date, "19420512"), ("PatientID", ValueForm.Identifier, "0545234"), ("PatientName", ValueForm.PersonName, "Stiles^John"));

    // Nothing in the file says who it is: the shape decides.
    [Theory]
    [InlineData("23.10.2018", FindingKind.Date)]
    [InlineData("JAN 1994", FindingKind.Date)]
    [InlineData("11:24:58", FindingKind.Date)]
    [InlineData("30 JAN 94", FindingKind.Date)]
    [InlineData("29Mar00", FindingKind.Date)]
    [InlineData("82Y", FindingKind.Date)]
    [InlineData("3@ JAN 94", FindingKind.Date)]
    [InlineData("12:83: 04", FindingKind.Date)] // a time, misread
    [InlineData("Se: 3/2", FindingKind.Harmless)]
    [InlineData("LYMPH NODE", FindingKind.Harmless)]
    [InlineData("339833062", FindingKind.Identifier)]
    [InlineData("MRN: 4711", FindingKind.Identifier)]
    [InlineData("Patient ID: 33-98", FindingKind.Identifier)]
    [InlineData("US12-0448A", FindingKind.Identifier)]
    [InlineData("1.2.840.113619.2.5", FindingKind.Identifier)]
    [InlineData("Tel. 06221 56-0815", FindingKind.Identifier)]
    [InlineData("DOE^JANE", FindingKind.PersonName)]
    [InlineData("Name: Lura Scrobola", FindingKind.PersonName)]
    [InlineData("Scrobola, Lura", FindingKind.PersonName)]
    [InlineData("Dr. Weissenborn", FindingKind.PersonName)]
    [InlineData("Mr. J. Wolfeschlegel", FindingKind.PersonName)]
    [InlineData("St. Mary Hospital", FindingKind.Institution)]
    [InlineData("Klinik am Südpark", FindingKind.Institution)]
    [InlineData("Radiologie", FindingKind.Institution)]
    [InlineData("R", FindingKind.Harmless)]
    [InlineData("L MLO", FindingKind.Harmless)]
    [InlineData("RCC", FindingKind.Harmless)]
    [InlineData("120 kV", FindingKind.Harmless)]
    [InlineData("W: 400 L: 40", FindingKind.Harmless)]
    [InlineData("12.5cm", FindingKind.Harmless)]
    [InlineData("MI 1.1  TIs 0.4", FindingKind.Harmless)]
    [InlineData("0 5 10 15", FindingKind.Harmless)]
    [InlineData("14:23", FindingKind.Date)]
    [InlineData("GE MEDICAL SYSTEMS", FindingKind.Institution)] // MEDICAL, and nothing says it is the maker
    [InlineData("FR 30Hz", FindingKind.Harmless)]
    [InlineData("1954", FindingKind.Other)]
    [InlineData("IZQ NC", FindingKind.Other)]
    [InlineData("", FindingKind.Other)]
    [InlineData("~ ..", FindingKind.Other)]
    [InlineData("xqz", FindingKind.Other)]
    public void Without_a_match_the_shape_decides(string read, FindingKind kind) => Assert.Equal(new TextKind(kind), Classify(read, new KnownValues()));

    [Fact]
    public void The_makers_own_name_is_harmless_where_the_file_says_so() =>
        AssertMatch(FindingKind.Harmless, "Manufacturer", "GE MEDICAL SYSTEMS", ("Manufacturer", ValueForm.Device, "GE MEDICAL SYSTEMS"));

    [Fact]
    public void One_letter_read_in_a_long_line_is_not_harmless() =>
        Assert.Equal(FindingKind.Other, new FindingClassifier(Harmless).Classify(new TextReading("L", 0.9), 200, 16, new KnownValues()).Kind);

    [Fact]
    public void A_guess_is_not_harmless() =>
        Assert.Equal(FindingKind.Other, new FindingClassifier(Harmless).Classify(new TextReading("L", 0.2), 20, 16, new KnownValues()).Kind);

    [Fact]
    public void A_site_adds_its_own_words()
    {
        var classifier = new FindingClassifier(HarmlessWords.Load(new StringReader("# ours\nSala Norte, Turno B\n= BANANAS\n")));
        Assert.Equal(FindingKind.Harmless, classifier.Classify(new TextReading("sala norte 12 bananas", 0.9), 100, 16, new KnownValues()).Kind);
        Assert.NotEqual(FindingKind.Harmless, Classify("sala norte 12 bananas", new KnownValues()).Kind);
    }

    private static void AssertMatch(FindingKind kind, string attribute, string read, params (string Keyword, ValueForm Form, string Text)[] values) =>
        Assert.Equal(new TextKind(kind, attribute), Classify(read, Known(values)));

    private static KnownValues Known(params (string Keyword, ValueForm Form, string Text)[] values)
    {
        var known = new KnownValues();
        foreach (var (keyword, form, text) in values)
        {
            known.Add(keyword, form, text);
        }
        return known;
    }

    private static TextKind Classify(string read, KnownValues known) => new FindingClassifier(Harmless).Classify(new TextReading(read, 0.9), 10 * Math.Max(1, read.Length), 16, known);
}
