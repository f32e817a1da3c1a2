using System.Text;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Text.Kinds;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom.Text.Kinds;

public sealed class KnownValuesTests
{
    [Fact]
    public void Add_NestedAndPrivateNames_AreKnownToo()
    {
        var inner = new DataSet();
        inner.Set(0x00100020, "LO", "OTHER-77").Set(0x0040A123, "PN", "Inner^Ida");
        var known = Read(new InstanceBuilder().Sequence(0x00101002, SequenceLength.Undefined, inner).Private(0x0099, "MAKER", 1, "PN", "Private^Paul"));

        Assert.Contains(("PatientID", "0THER77"), Loose(known));
        Assert.Contains(("PersonName", "1NNER1DA"), Loose(known));
        Assert.Contains(("(0099,1001)", "PR1VATEPAU1"), Loose(known));
        Assert.Contains(("PatientName", "TE5TPAT1ENT"), Loose(known));
    }

    [Theory]
    [InlineData("ISO_IR 144", 28595, "Иванов^Пётр", "IVANOV")]
    [InlineData("ISO_IR 126", 28597, "Παπαδόπουλος^Νίκος", "PAPADOPOYLOS")]
    [InlineData("ISO_IR 192", 65001, "Łukasiewicz^Żaneta", "LUKASIEWICZ")]
    [InlineData("ISO_IR 100", 28591, "Müller^Jürgen", "MULLER")]
    [InlineData("GB18030", 54936, "王^小明", "王")]
    public void Add_CharacterSet_IsApplied(string characterSet, int codePage, string name, string word)
    {
        var encoding = codePage == 65001 ? Encoding.UTF8 : CodePagesEncodingProvider.Instance.GetEncoding(codePage) ?? Encoding.Latin1;
        var known = Read(new InstanceBuilder().Charset(characterSet, encoding).Set(Tags.PatientName, name));

        Assert.Contains(known.Values, value => value.Keyword == "PatientName" && value.Words[0] == word);
    }

    [Fact]
    public void Add_SeveralValuesOfOneAttribute_AreEachKnownOnce()
    {
        var known = Read(new InstanceBuilder().Set(0x00101000, "LO", "A-1001", "B-2002").Set(0x00081070, "PN", "Oper^One", "Oper^One"));

        Assert.Equal(2, known.Values.Count(value => value.Keyword == "OtherPatientIDs"));
        Assert.Single(known.Values, value => value.Keyword == "OperatorsName");
        Assert.Equal("PatientName", known.Values[0].Keyword);
    }

    private static KnownValues Read(InstanceBuilder builder)
    {
        var stream = new MemoryStream(builder.Build());
        var known = new KnownValues();
        known.Add(Part10File.Read(stream, FileMeta.Read(stream)));
        return known;
    }

    private static IEnumerable<(string, string)> Loose(KnownValues known) => known.Values.Select(value => (value.Keyword, value.Loose));
}
