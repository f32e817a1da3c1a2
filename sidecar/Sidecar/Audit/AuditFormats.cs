using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Sidecar.Audit;

/// <summary>Rows as text: NDJSON, which <c>sidecar audit verify --file</c> reads again, and CSV for spreadsheets.</summary>
internal static class AuditFormats
{
    public const string NdJson = "ndjson";
    public const string Csv = "csv";

    public const string CsvHeader = "sequence,at,action,subject,name,jobId,studyInstanceUid,seriesInstanceUid,sopInstanceUid,softwareVersion,details,hash\r\n";

    /// <summary>One JSON object and a line feed. <c>details</c> is the stored text unchanged, so that the hash can be computed again.</summary>
    public static string ToNdJson(AuditRow row)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            Write(json, row);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    public static void Write(Utf8JsonWriter json, AuditRow row)
    {
        json.WriteStartObject();
        json.WriteNumber("sequence", row.Sequence);
        json.WriteString("at", row.At);
        json.WriteString("action", row.Action);
        json.WriteString("subject", row.Subject);
        json.WriteString("name", row.Name);
        Optional("jobId", row.JobId);
        Optional("studyInstanceUid", row.StudyInstanceUid);
        Optional("seriesInstanceUid", row.SeriesInstanceUid);
        Optional("sopInstanceUid", row.SopInstanceUid);
        json.WriteString("softwareVersion", row.SoftwareVersion);
        json.WritePropertyName("details");
        json.WriteRawValue(row.Details);
        Optional("hash", row.Hash);
        json.WriteEndObject();

        void Optional(string name, string? value)
        {
            if (value is not null)
            {
                json.WriteString(name, value);
            }
        }
    }

    /// <exception cref="JsonException">It is not JSON.</exception>
    /// <exception cref="InvalidOperationException">It is not a row.</exception>
    /// <exception cref="KeyNotFoundException">It lacks something that every row has.</exception>
    public static AuditRow Parse(JsonElement json)
    {
        return new AuditRow
        {
            Sequence = json.GetProperty("sequence").GetInt64(),
            At = Required("at"),
            Action = Required("action"),
            Subject = Required("subject"),
            Name = Required("name"),
            JobId = Optional("jobId"),
            StudyInstanceUid = Optional("studyInstanceUid"),
            SeriesInstanceUid = Optional("seriesInstanceUid"),
            SopInstanceUid = Optional("sopInstanceUid"),
            SoftwareVersion = Required("softwareVersion"),
            Details = json.GetProperty("details").GetRawText(),
            Hash = Required("hash"),
        };

        string Required(string name) => json.GetProperty(name).GetString() ?? throw new KeyNotFoundException();

        string? Optional(string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;
    }

    /// <summary>One line after RFC 4180.</summary>
    public static string ToCsv(AuditRow row)
    {
        string?[] cells =
        [
            row.Sequence.ToString(CultureInfo.InvariantCulture), row.At, row.Action, row.Subject, row.Name, row.JobId, row.StudyInstanceUid, row.SeriesInstanceUid,
            row.SopInstanceUid, row.SoftwareVersion, row.Details, row.Hash,
        ];
        return string.Join(',', cells.Select(ToCell)) + "\r\n";
    }

    // A spreadsheet would run a cell that begins with one of these as a formula: an apostrophe makes it text.
    private static string ToCell(string? value)
    {
        var text = value ?? "";
        text = text.Length > 0 && "=+-@\t\r".Contains(text[0], StringComparison.Ordinal) ? "'" + text : text;
        return text.AsSpan().IndexOfAny(",\"\r\n") >= 0 ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}
