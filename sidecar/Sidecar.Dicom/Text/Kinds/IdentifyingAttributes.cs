using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Text.Kinds;

/// <summary>How the value of an attribute is compared with what was read.</summary>
internal enum ValueForm
{
    PersonName,
    Date,
    Time,
    DateTime,
    Age,
    Identifier,

    /// <summary>A dotted number, long enough to be compared only with the like.</summary>
    UniqueIdentifier,
    Institution,

    /// <summary>What was examined and why: words that may tell about the patient.</summary>
    Description,

    /// <summary>Maker and model of the device.</summary>
    Device,
}

/// <summary>
/// The attributes whose values are burned in, or might tell who the patient is: those of PS3.15 table E.1-1 that hold names, dates, numbers and places.
/// Where several have the same value, the first in this list is named.
/// </summary>
internal static class IdentifyingAttributes
{
    private static readonly (uint Tag, string Keyword, ValueForm Form)[] All =
    [
        (0x00100010, "PatientName", ValueForm.PersonName),
        (0x00100020, "PatientID", ValueForm.Identifier),
        (0x00100030, "PatientBirthDate", ValueForm.Date),
        (0x00100032, "PatientBirthTime", ValueForm.Time),
        (0x00101010, "PatientAge", ValueForm.Age),
        (0x00101000, "OtherPatientIDs", ValueForm.Identifier),
        (0x00101001, "OtherPatientNames", ValueForm.PersonName),
        (0x00101005, "PatientBirthName", ValueForm.PersonName),
        (0x00101060, "PatientMotherBirthName", ValueForm.PersonName),
        (0x00101040, "PatientAddress", ValueForm.Institution),
        (0x00102154, "PatientTelephoneNumbers", ValueForm.Identifier),
        (0x00101050, "InsurancePlanIdentification", ValueForm.Identifier),
        (0x00101090, "MedicalRecordLocator", ValueForm.Identifier),
        (0x00100021, "IssuerOfPatientID", ValueForm.Institution),
        (0x00102297, "ResponsiblePerson", ValueForm.PersonName),
        (0x00102299, "ResponsibleOrganization", ValueForm.Institution),
        (0x00104000, "PatientComments", ValueForm.Description),
        (0x001021D0, "LastMenstrualDate", ValueForm.Date),
        (0x00080050, "AccessionNumber", ValueForm.Identifier),
        (0x00200010, "StudyID", ValueForm.Identifier),
        (0x00380010, "AdmissionID", ValueForm.Identifier),
        (0x00380060, "ServiceEpisodeID", ValueForm.Identifier),
        (0x00401001, "RequestedProcedureID", ValueForm.Identifier),
        (0x00400009, "ScheduledProcedureStepID", ValueForm.Identifier),
        (0x00400253, "PerformedProcedureStepID", ValueForm.Identifier),
        (0x00402016, "PlacerOrderNumberImagingServiceRequest", ValueForm.Identifier),
        (0x00402017, "FillerOrderNumberImagingServiceRequest", ValueForm.Identifier),
        (0x00120020, "ClinicalTrialProtocolID", ValueForm.Identifier),
        (0x00120030, "ClinicalTrialSiteID", ValueForm.Identifier),
        (0x00120040, "ClinicalTrialSubjectID", ValueForm.Identifier),
        (0x00120042, "ClinicalTrialSubjectReadingID", ValueForm.Identifier),
        (0x00120031, "ClinicalTrialSiteName", ValueForm.Institution),
        (0x00120010, "ClinicalTrialSponsorName", ValueForm.Institution),
        (0x00080020, "StudyDate", ValueForm.Date),
        (0x00080021, "SeriesDate", ValueForm.Date),
        (0x00080022, "AcquisitionDate", ValueForm.Date),
        (0x00080023, "ContentDate", ValueForm.Date),
        (0x0008002A, "AcquisitionDateTime", ValueForm.DateTime),
        (0x00080012, "InstanceCreationDate", ValueForm.Date),
        (0x00181012, "DateOfSecondaryCapture", ValueForm.Date),
        (0x00400244, "PerformedProcedureStepStartDate", ValueForm.Date),
        (0x00400250, "PerformedProcedureStepEndDate", ValueForm.Date),
        (0x00400002, "ScheduledProcedureStepStartDate", ValueForm.Date),
        (0x00380020, "AdmittingDate", ValueForm.Date),
        (0x0018A002, "ContributionDateTime", ValueForm.DateTime),
        (0x0040A120, "DateTime", ValueForm.DateTime),
        (0x0040A121, "Date", ValueForm.Date),
        (0x00080030, "StudyTime", ValueForm.Time),
        (0x00080031, "SeriesTime", ValueForm.Time),
        (0x00080032, "AcquisitionTime", ValueForm.Time),
        (0x00080033, "ContentTime", ValueForm.Time),
        (0x00080013, "InstanceCreationTime", ValueForm.Time),
        (0x00181014, "TimeOfSecondaryCapture", ValueForm.Time),
        (0x00400245, "PerformedProcedureStepStartTime", ValueForm.Time),
        (0x00080090, "ReferringPhysicianName", ValueForm.PersonName),
        (0x00081048, "PhysiciansOfRecord", ValueForm.PersonName),
        (0x00081050, "PerformingPhysicianName", ValueForm.PersonName),
        (0x00081060, "NameOfPhysiciansReadingStudy", ValueForm.PersonName),
        (0x00081070, "OperatorsName", ValueForm.PersonName),
        (0x0008009C, "ConsultingPhysicianName", ValueForm.PersonName),
        (0x00321032, "RequestingPhysician", ValueForm.PersonName),
        (0x00400006, "ScheduledPerformingPhysicianName", ValueForm.PersonName),
        (0x00401010, "NamesOfIntendedRecipientsOfResults", ValueForm.PersonName),
        (0x00404037, "HumanPerformerName", ValueForm.PersonName),
        (0x0040A075, "VerifyingObserverName", ValueForm.PersonName),
        (0x0040A123, "PersonName", ValueForm.PersonName),
        (0x00700084, "ContentCreatorName", ValueForm.PersonName),
        (0x00080080, "InstitutionName", ValueForm.Institution),
        (0x00080081, "InstitutionAddress", ValueForm.Institution),
        (0x00081040, "InstitutionalDepartmentName", ValueForm.Institution),
        (0x00081010, "StationName", ValueForm.Institution),
        (0x00400010, "ScheduledStationName", ValueForm.Institution),
        (0x00400242, "PerformedStationName", ValueForm.Institution),
        (0x00400243, "PerformedLocation", ValueForm.Institution),
        (0x00321033, "RequestingService", ValueForm.Institution),
        (0x00380300, "CurrentPatientLocation", ValueForm.Institution),
        (0x00380400, "PatientInstitutionResidence", ValueForm.Institution),
        (0x00080092, "ReferringPhysicianAddress", ValueForm.Institution),
        (0x00080094, "ReferringPhysicianTelephoneNumbers", ValueForm.Identifier),
        (0x00181000, "DeviceSerialNumber", ValueForm.Identifier),
        (0x00181010, "SecondaryCaptureDeviceID", ValueForm.Identifier),
        (0x0020000D, "StudyInstanceUID", ValueForm.UniqueIdentifier),
        (0x0020000E, "SeriesInstanceUID", ValueForm.UniqueIdentifier),
        (0x00080018, "SOPInstanceUID", ValueForm.UniqueIdentifier),
        (0x00081030, "StudyDescription", ValueForm.Description),
        (0x0008103E, "SeriesDescription", ValueForm.Description),
        (0x00181030, "ProtocolName", ValueForm.Description),
        (0x00081080, "AdmittingDiagnosesDescription", ValueForm.Description),
        (0x00321060, "RequestedProcedureDescription", ValueForm.Description),
        (0x00400254, "PerformedProcedureStepDescription", ValueForm.Description),
        (0x00204000, "ImageComments", ValueForm.Description),
        (0x00180015, "BodyPartExamined", ValueForm.Description),
        (0x00080070, "Manufacturer", ValueForm.Device),
        (0x00081090, "ManufacturerModelName", ValueForm.Device),
    ];

    private static readonly Dictionary<uint, (string Keyword, ValueForm Form, int Rank)> ByTag =
        All.Select((row, rank) => (row.Tag, Row: (row.Keyword, row.Form, Rank: rank))).ToDictionary(row => row.Tag, row => row.Row);

    /// <summary>
    /// What an element is compared as; null where it is not. Names, dates and times of any other attribute count, too, private ones included; they have no
    /// keyword here and are named by their tag.
    /// </summary>
    public static (string Keyword, ValueForm Form, int Rank)? Find(DicomElement element) =>
        ByTag.TryGetValue(element.Tag.Value, out var row) ? row
        : element.Vr == new Vr("PN") ? (element.Tag.ToString(), ValueForm.PersonName, All.Length)
        : element.Vr == new Vr("DA") ? (element.Tag.ToString(), ValueForm.Date, All.Length)
        : element.Vr == new Vr("DT") ? (element.Tag.ToString(), ValueForm.DateTime, All.Length)
        : null;
}
