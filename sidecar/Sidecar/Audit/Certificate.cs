using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Sidecar.Audit;

/// <summary>
/// What was done to which images in one mask job, by whom and with what proof: the job's own rows of the audit, each with the hash of the row before
/// it, so that anybody can compute the hashes again, without this service and without the images.
/// </summary>
internal sealed record Certificate
{
    public const string Form = "sidecar-certificate-1";

    public required string Job { get; init; }

    public required string IssuedAt { get; init; }

    /// <summary>Oldest first.</summary>
    public required IReadOnlyList<ChainedRow> Events { get; init; }

    /// <summary>PEM; null where the service has no key.</summary>
    public string? PublicKey { get; init; }

    public string? Signature { get; init; }

    /// <summary>A row and the hash of the one before it.</summary>
    public sealed record ChainedRow(AuditRow Row, string PreviousHash);

    /// <summary>What is signed. The hashes stand for everything in the rows.</summary>
    public string SignedText
    {
        get
        {
            var text = new StringBuilder($"{Form}\n{Job}\n{IssuedAt}\n");
            foreach (var (row, _) in Events)
            {
                text.Append(CultureInfo.InvariantCulture, $"{row.Sequence} {row.Hash}\n");
            }

            return text.ToString();
        }
    }

    /// <summary>One <c>instanceMasked</c> row, read.</summary>
    public sealed record MaskedImage(string SopInstanceUid, string? SeriesInstanceUid, string Sha256, string OutputSha256, int Frames, long ChangedOutside, IReadOnlyList<(int X, int Y, int Width, int Height)> Regions)
    {
        /// <summary>Masks that were approved for some frames only: where, and for which frames, counted from 1.</summary>
        public IReadOnlyList<((int X, int Y, int Width, int Height) Region, string Frames)> InSomeFrames { get; init; } = [];
    }

    /// <exception cref="CertificateException">A row does not say what every such row says.</exception>
    public IReadOnlyList<MaskedImage> MaskedImages() => [.. Events.Where(e => e.Row.Action == "instanceMasked").Select(e => ReadImage(e.Row))];

    /// <summary>The last moment at which an original of the job could be restored, by what was promised when it was masked; null where none was kept.</summary>
    public string? RestorableUntil() => Events.Where(e => e.Row.Action == "instanceMasked").Select(e => ReadUntil(e.Row)).Max(StringComparer.Ordinal);

    public AuditRow? Find(string action) => Events.Select(e => e.Row).LastOrDefault(r => r.Action == action);

    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("format", Form);
            json.WriteString("job", Job);
            json.WriteString("issuedAt", IssuedAt);
            json.WriteStartArray("events");
            foreach (var (row, previousHash) in Events)
            {
                json.WriteStartObject();
                json.WriteString("previousHash", previousHash);
                json.WritePropertyName("row");
                AuditFormats.Write(json, row);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            if (Signature is not null)
            {
                json.WriteString("publicKey", PublicKey);
                json.WriteString("signature", Signature);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    /// <exception cref="CertificateException">The text is no certificate of this form.</exception>
    public static Certificate Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var json = document.RootElement;
            if (json.GetProperty("format").GetString() != Form)
            {
                throw new CertificateException("It is of another form than this version reads.");
            }

            return new Certificate
            {
                Job = json.GetProperty("job").GetString()!,
                IssuedAt = json.GetProperty("issuedAt").GetString()!,
                Events = [.. json.GetProperty("events").EnumerateArray().Select(e => new ChainedRow(AuditFormats.Parse(e.GetProperty("row")), e.GetProperty("previousHash").GetString()!))],
                PublicKey = json.TryGetProperty("publicKey", out var key) ? key.GetString() : null,
                Signature = json.TryGetProperty("signature", out var signature) ? signature.GetString() : null,
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new CertificateException("It is not a certificate of this software, or is damaged.", e);
        }
    }

    /// <summary>Everything about the certificate itself that does not hold; empty where all does. A key that is given must be the one that signed it.</summary>
    public IReadOnlyList<string> FindFaults(AuditKey? knownKey)
    {
        List<string> faults = [];
        string? previous = AuditChain.Genesis; // which row 1 follows
        long previousNumber = 0;
        foreach (var (row, previousHash) in Events)
        {
            if (row.Hash != AuditChain.HashOf(previousHash, row))
            {
                faults.Add($"Row {row.Sequence} was changed: its hash does not fit its content.");
            }
            else if (row.Sequence <= previousNumber || (row.Sequence == previousNumber + 1 && previousHash != previous))
            {
                faults.Add($"Row {row.Sequence} does not follow the row before it.");
            }
            else if (row.JobId != Job)
            {
                faults.Add($"Row {row.Sequence} belongs to another job.");
            }

            (previous, previousNumber) = (row.Hash, row.Sequence);
        }

        if (Events.Count(e => e.Row.Action == "maskJobCreated") != 1 || Events.Count(e => e.Row.Action == "maskJobFinished") != 1)
        {
            faults.Add("The rows that begin and end the job are not both there.");
        }

        if (FindFaultOfConfirmation() is { } unconfirmed)
        {
            faults.Add(unconfirmed);
        }

        faults.AddRange(FindFaultsOfCount());
        if (FindFaultOfSignature(knownKey) is { } fault)
        {
            faults.Add(fault);
        }

        return faults;
    }

    // Where a second person was needed, that one's row comes before that of any image and names another subject.
    private string? FindFaultOfConfirmation()
    {
        if (Find("maskJobCreated") is not { } created || !NeedsConfirmation(created) || Events.FirstOrDefault(e => e.Row.Action == "instanceMasked") is not { } first)
        {
            return null;
        }

        return Find("maskJobConfirmed") is not { } confirmed ? "Images were masked although the second person's confirmation is not here."
            : confirmed.Subject == created.Subject ? "The same person approved and confirmed."
            : confirmed.Sequence > first.Row.Sequence ? "An image was masked before the second person confirmed."
            : null;

        static bool NeedsConfirmation(AuditRow created)
        {
            using var details = JsonDocument.Parse(created.Details);
            return details.RootElement.TryGetProperty("needsConfirmation", out var needs) && needs.ValueKind == JsonValueKind.True;
        }
    }

    // The last row counts the images, so none can be left out.
    private IEnumerable<string> FindFaultsOfCount()
    {
        if (Find("maskJobFinished") is not { } finished)
        {
            yield break;
        }

        using var details = JsonDocument.Parse(finished.Details);
        foreach (var (name, action) in ((string, string)[])[("masked", "instanceMasked"), ("failed", "instanceFailed")])
        {
            var there = Events.Count(e => e.Row.Action == action);
            if (!details.RootElement.TryGetProperty(name, out var count) || !count.TryGetInt32(out var said) || said != there)
            {
                yield return $"The job ended with another number of images ({name}) than the {there} whose rows are here.";
            }
        }
    }

    private string? FindFaultOfSignature(AuditKey? knownKey)
    {
        if (Signature is null)
        {
            return knownKey is null ? null : "It is not signed.";
        }

        try
        {
            using var ownKey = AuditKey.Parse(PublicKey ?? "");
            return (knownKey ?? ownKey).Verify(SignedText, Signature) ? null : $"The signature is not one of the key {(knownKey ?? ownKey).Fingerprint} over this content.";
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            return "The key in it cannot be read.";
        }
    }

    private static string? ReadUntil(AuditRow row)
    {
        using var document = JsonDocument.Parse(row.Details);
        return document.RootElement.TryGetProperty("restorableUntil", out var until) && until.ValueKind == JsonValueKind.String ? until.GetString() : null;
    }

    private static MaskedImage ReadImage(AuditRow row)
    {
        try
        {
            using var document = JsonDocument.Parse(row.Details);
            var details = document.RootElement;
            return new MaskedImage(
                row.SopInstanceUid ?? "",
                row.SeriesInstanceUid,
                details.GetProperty("sha256").GetString()!,
                details.GetProperty("outputSha256").GetString()!,
                details.GetProperty("frames").GetInt32(),
                details.GetProperty("changedOutside").GetInt64(),
                [.. details.GetProperty("regions").EnumerateArray().Select(ReadRegion)])
            {
                InSomeFrames = details.TryGetProperty("masks", out var masks) && masks.ValueKind == JsonValueKind.Array
                    ? [.. masks.EnumerateArray().Where(m => m.TryGetProperty("frames", out _)).Select(m => (ReadRegion(m), m.GetProperty("frames").GetString()!))]
                    : [],
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new CertificateException($"Row {row.Sequence} does not tell what was done to its image.", e);
        }

        static (int X, int Y, int Width, int Height) ReadRegion(JsonElement region) => (Read(region, "x"), Read(region, "y"), Read(region, "width"), Read(region, "height"));

        static int Read(JsonElement region, string name) => region.GetProperty(name).GetInt32();
    }
}

/// <summary>A file is no certificate, or a damaged one; the message is for a person.</summary>
internal sealed class CertificateException(string message, Exception? inner = null) : Exception(message, inner);
