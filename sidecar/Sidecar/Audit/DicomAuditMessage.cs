using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml;

namespace Sidecar.Audit;

/// <summary>
/// Rows of the audit as DICOM audit messages (PS3.15 A.5). A mask job is one message when it ends: A.5.3.6 records studies, not single instances.
/// </summary>
internal static class DicomAuditMessage
{
    private const string Dcm = "DCM";

    private sealed record Kind(string EventId, string Meaning, string ActionCode, (string Code, string Meaning)? Type);

    // CID 400, 401 and 402. Rows that are not here are part of one that is (an instance of its job), or of no interest outside.
    private static readonly Dictionary<string, Kind> Kinds = new(StringComparer.Ordinal)
    {
        ["maskJobFinished"] = new("110103", "DICOM Instances Accessed", "U", null),
        ["restoreFinished"] = new("110103", "DICOM Instances Accessed", "U", null),
        ["maskJobCancelled"] = new("110103", "DICOM Instances Accessed", "U", null), // who stopped the update may be another than who asked for it
        ["restoreRequested"] = new("110113", "Security Alert", "E", ("110127", "Emergency Override Started")),
        ["loggedIn"] = new("110114", "User Authentication", "E", ("110122", "Login")),
        ["tokenRefused"] = new("110114", "User Authentication", "E", ("110122", "Login")),
        ["refused"] = new("110113", "Security Alert", "E", ("110132", "Use of Restricted Function")),
        ["settingsChanged"] = new("110113", "Security Alert", "E", ("110131", "Software Configuration")),
        ["serviceStarted"] = new("110100", "Application Activity", "E", ("110120", "Application Start")),
        ["serviceStopped"] = new("110100", "Application Activity", "E", ("110121", "Application Stop")),
        ["auditRead"] = new("110101", "Audit Log Used", "R", null),
        ["auditExported"] = new("110101", "Audit Log Used", "R", null),
        ["auditVerified"] = new("110101", "Audit Log Used", "R", null),
        ["certificateIssued"] = new("110101", "Audit Log Used", "R", null),
    };

    public static bool Covers(string action) => Kinds.ContainsKey(action);

    /// <summary>Whether it tells of a study, and so of its patient.</summary>
    public static bool NeedsPatient(string action) => Kinds.TryGetValue(action, out var kind) && kind.EventId == "110103";

    /// <param name="row">A row that is <see cref="Covers">covered</see>.</param>
    /// <param name="source">The identity of this service.</param>
    /// <param name="site">The hospital or department; optional.</param>
    /// <param name="patientId">Patient ID of the row's study, which A.5.3.6 asks for; null where there is no study.</param>
    public static string Create(AuditRow row, string source, string? site, string? patientId)
    {
        var kind = Kinds[row.Action];
        using var details = JsonDocument.Parse(row.Details);
        var text = new StringBuilder();
        using (var xml = XmlWriter.Create(text, new XmlWriterSettings { OmitXmlDeclaration = true }))
        {
            xml.WriteStartElement("AuditMessage");
            WriteEvent(xml, row, kind, details.RootElement);
            WriteParticipant(xml, row.Subject == ServiceAudit.Service ? source : row.Subject, row.Name, isRequestor: true, details.RootElement);
            if (kind.EventId is "110100" or "110103")
            {
                WriteService(xml, source, kind.EventId == "110100" ? ("110150", "Application") : ("110151", "Application Launcher"));
            }

            xml.WriteStartElement("AuditSourceIdentification");
            if (site is not null)
            {
                xml.WriteAttributeString("AuditEnterpriseSiteID", Token(site));
            }

            xml.WriteAttributeString("AuditSourceID", source);
            xml.WriteStartElement("AuditSourceTypeCode");
            xml.WriteAttributeString("csd-code", "4"); // application server process
            xml.WriteEndElement();
            xml.WriteEndElement();
            WriteObjects(xml, row, kind, details.RootElement, patientId);
            xml.WriteEndElement();
        }

        return text.ToString();
    }

    private static void WriteEvent(XmlWriter xml, AuditRow row, Kind kind, JsonElement details)
    {
        var outcome = row.Action switch
        {
            "tokenRefused" => "4",
            "refused" => "4",
            "maskJobCancelled" => "4", // not all of the update was done
            "maskJobFinished" or "restoreFinished" when details.TryGetProperty("failed", out var failed) && failed.GetInt64() > 0 => "4",
            "auditVerified" when details.TryGetProperty("holds", out var holds) && !holds.GetBoolean() => "8",
            _ => "0",
        };
        xml.WriteStartElement("EventIdentification");
        xml.WriteAttributeString("EventActionCode", kind.ActionCode);
        xml.WriteAttributeString("EventDateTime", row.At);
        xml.WriteAttributeString("EventOutcomeIndicator", outcome);
        WriteCode(xml, "EventID", kind.EventId, kind.Meaning);
        if (kind.Type is var (code, meaning))
        {
            WriteCode(xml, "EventTypeCode", code, meaning);
        }

        xml.WriteEndElement();
    }

    private static void WriteParticipant(XmlWriter xml, string subject, string name, bool isRequestor, JsonElement details)
    {
        xml.WriteStartElement("ActiveParticipant");
        xml.WriteAttributeString("UserID", Token(subject));
        if (name.Length > 0)
        {
            xml.WriteAttributeString("UserName", Token(name));
        }

        xml.WriteAttributeString("UserIsRequestor", isRequestor ? "true" : "false");
        if (details.TryGetProperty("address", out var address) && address.ValueKind == JsonValueKind.String)
        {
            xml.WriteAttributeString("NetworkAccessPointID", Token(address.GetString()!));
            xml.WriteAttributeString("NetworkAccessPointTypeCode", "2"); // an IP address
        }

        xml.WriteEndElement();
    }

    private static void WriteService(XmlWriter xml, string source, (string Code, string Meaning) role)
    {
        xml.WriteStartElement("ActiveParticipant");
        xml.WriteAttributeString("UserID", source);
        xml.WriteAttributeString("UserIsRequestor", "false");
        WriteCode(xml, "RoleIDCode", role.Code, role.Meaning);
        xml.WriteEndElement();
    }

    private static void WriteObjects(XmlWriter xml, AuditRow row, Kind kind, JsonElement details, string? patientId)
    {
        switch (kind.EventId)
        {
            case "110103":
                xml.WriteStartElement("ParticipantObjectIdentification");
                xml.WriteAttributeString("ParticipantObjectID", row.StudyInstanceUid ?? "");
                xml.WriteAttributeString("ParticipantObjectTypeCode", "2");
                xml.WriteAttributeString("ParticipantObjectTypeCodeRole", "3");
                WriteCode(xml, "ParticipantObjectIDTypeCode", "110180", "Study Instance UID");
                xml.WriteElementString("ParticipantObjectName", row.Action switch
                {
                    "restoreFinished" => "Originals restored",
                    "maskJobCancelled" => "Job stopped; its end tells what it changed",
                    _ => "Burned-in text masked",
                });
                WriteDetail(xml, "MaskJob", row.JobId ?? "");
                WriteDetail(xml, "NotMasked", Count("failed"));
                WriteRow(xml, row);
                xml.WriteStartElement("ParticipantObjectDescription");
                xml.WriteStartElement("SOPClass");
                xml.WriteAttributeString("NumberOfInstances", Count(row.Action == "restoreFinished" ? "restored" : "masked"));
                xml.WriteEndElement();
                xml.WriteEndElement();
                xml.WriteEndElement();
                xml.WriteStartElement("ParticipantObjectIdentification");
                xml.WriteAttributeString("ParticipantObjectID", Token(patientId ?? ""));
                xml.WriteAttributeString("ParticipantObjectTypeCode", "1");
                xml.WriteAttributeString("ParticipantObjectTypeCodeRole", "1");
                WriteCode(xml, "ParticipantObjectIDTypeCode", "2", "Patient Number", "RFC-3881");
                xml.WriteElementString("ParticipantObjectName", ""); // one of name and query is required; the name stays in the archive
                xml.WriteEndElement();
                break;
            case "110101":
                WriteLog(xml, row, "/api/audit", "Security Audit Log", "13", "12", "URI", "RFC-3881");
                break;
            case "110113":
                WriteLog(xml, row, details.TryGetProperty("path", out var path) ? path.GetString() ?? "/" : "/", row.Action, "13", "12", "URI", "RFC-3881");
                break;
        }

        string Count(string name) => details.TryGetProperty(name, out var count) ? count.GetInt64().ToString(CultureInfo.InvariantCulture) : "0";
    }

    private static void WriteLog(XmlWriter xml, AuditRow row, string id, string name, string role, string idType, string idMeaning, string system)
    {
        xml.WriteStartElement("ParticipantObjectIdentification");
        xml.WriteAttributeString("ParticipantObjectID", Token(id));
        xml.WriteAttributeString("ParticipantObjectTypeCode", "2");
        xml.WriteAttributeString("ParticipantObjectTypeCodeRole", role);
        WriteCode(xml, "ParticipantObjectIDTypeCode", idType, idMeaning, system);
        xml.WriteElementString("ParticipantObjectName", name);
        WriteRow(xml, row);
        xml.WriteEndElement();
    }

    // The receiver so holds a witness of the chain.
    private static void WriteRow(XmlWriter xml, AuditRow row)
    {
        WriteDetail(xml, "AuditRow", row.Sequence.ToString(CultureInfo.InvariantCulture));
        WriteDetail(xml, "AuditRowHash", row.Hash ?? "");
    }

    private static void WriteDetail(XmlWriter xml, string type, string value)
    {
        xml.WriteStartElement("ParticipantObjectDetail");
        xml.WriteAttributeString("type", type);
        xml.WriteAttributeString("value", Convert.ToBase64String(Encoding.UTF8.GetBytes(value)));
        xml.WriteEndElement();
    }

    private static void WriteCode(XmlWriter xml, string element, string code, string meaning, string system = Dcm)
    {
        xml.WriteStartElement(element);
        xml.WriteAttributeString("csd-code", code);
        xml.WriteAttributeString("codeSystemName", system);
        xml.WriteAttributeString("originalText", meaning);
        xml.WriteEndElement();
    }

    // XML 1.0 has no place for control characters, not even escaped; a name that holds one loses it here and only here.
    private static string Token(string value) => string.Concat(value.EnumerateRunes().Where(r => r.Value >= 0x20 && r.Value is not (0xFFFE or 0xFFFF)).Select(r => r.ToString()));
}
