namespace Sidecar.Dicom.Text.Kinds;

/// <summary>Words that devices write before a value, or that name what stands there, in the languages of the devices. Folded as <see cref="Folding.Words"/> does.</summary>
internal static class Labels
{
    private static readonly HashSet<string> Name = Set("NAME NAMEN NOM NOMBRE NOME NAZWISKO IMIE VORNAME NACHNAME FAMILIENNAME PRENOM APELLIDO APELLIDOS COGNOME PATIENT PATIENTIN PAT PATIENTEN PACIENTE PAZIENTE PACJENT PT "
        + "PHYSICIAN REFPHYS REF DOCTOR DR MD ARZT AERZTIN PROF OPERATOR OPER TECH TECHNOLOGIST SONOGRAPHER UNTERSUCHER MEDECIN MEDICO PERFORMED REFERRING RADIOLOGIST MR MRS MS MISS HERR FRAU SR SRA FAMILIIA IMIA PATSIENT VRACH");

    private static readonly HashSet<string> Identifier = Set("ID PID MRN ACC ACCESSION ACCNO NHS SSN NR NO NUM NUMBER NUMMER FALLNR FALLNUMMER PATNR PATID PATIENTID PATIENTENNUMMER STUDYID EXAM EXAMID CASE FALL VISIT ORDER RECORD CHART HOSP HOSPID IPP NIP "
        + "HN UHID FILE DOSSIER TEL PHONE FAX SN SERIAL INSURANCE NOMER");

    private static readonly HashSet<string> Age = Set("AGE ALTER EDAD ETA IDADE LEEFTIJD WIEK VOZRAST");

    private static readonly HashSet<string> Birth = Set("DOB BIRTH BIRTHDATE BIRTHDAY BORN GEB GEBDAT GEBDATUM GEBURTSDATUM GEBOREN NE NEE NAISSANCE NACIMIENTO NASCITA NATO NATA NASCIMENTO FDN DDN DN GEBOORTEDATUM");

    private static readonly HashSet<string> Place = Set("HOSPITAL HOSP CLINIC CLINICS CLINICA CLINIQUE KLINIK KLINIKUM KRANKENHAUS SPITAL HOPITAL OSPEDALE ZIEKENHUIS SZPITAL SYKEHUS SJUKHUS UNIVERSITY UNIVERSITAET UNIVERSITAT UNIVERSITE UNIVERSIDAD UNIV "
        + "INSTITUTE INSTITUT INSTITUTO INSTITUTION MEDICAL CENTER CENTRE CENTRO ZENTRUM MVZ PRAXIS PRACTICE RADIOLOGY RADIOLOGIE RADIOLOGIA DEPARTMENT DEPT ABTEILUNG STATION WARD IMAGING HEALTH HEALTHCARE FOUNDATION TRUST STREET STRASSE AVENUE "
        + "ROAD CHARITE POLICLINIC POLYCLINIC AMBULANZ BOLNITSA KLINIKA");

    private static readonly HashSet<string> All = [.. Name, .. Identifier, .. Age, .. Birth, .. Set("DATE DATUM DATA FECHA TIME ZEIT HEURE HORA STUDY SERIES IMAGE SEX GENDER TEST UNKNOWN")];

    public static bool IsLabel(string word) => All.Contains(word);

    public static bool AnnouncesName(string word) => Name.Contains(word);

    public static bool AnnouncesIdentifier(string word) => Identifier.Contains(word);

    public static bool AnnouncesAge(string word) => Age.Contains(word);

    public static bool AnnouncesBirth(string word) => Birth.Contains(word);

    /// <summary>Also as a part of a longer word: Universitätsklinikum.</summary>
    public static bool NamesPlace(string word) => Place.Contains(word) || Place.Any(place => place.Length >= 6 && word.Contains(place, StringComparison.Ordinal));

    private static HashSet<string> Set(string words) => [.. words.Split(' ')];
}
