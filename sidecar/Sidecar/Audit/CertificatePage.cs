using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sidecar.Audit;

/// <summary>A certificate as a page to print. Holds no script and loads nothing.</summary>
internal static class CertificatePage
{
    private const string Style =
        """
        body { font: 14px/1.45 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #111; background: #fff; }
        h1 { font-size: 22px; } h2 { font-size: 16px; margin-top: 1.6em; } table { border-collapse: collapse; width: 100%; }
        th, td { border: 1px solid #999; padding: 4px 8px; text-align: left; vertical-align: top; } thead { display: table-header-group; } tr { break-inside: avoid; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 1.5em; } dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
        code { font-size: 11.5px; overflow-wrap: anywhere; } .small { color: #444; font-size: 12.5px; } @media print { body { margin: 0; max-width: none; } }
        """;

    /// <exception cref="CertificateException">A row does not say what every such row says.</exception>
    public static string Render(Certificate certificate)
    {
        var created = certificate.Find("maskJobCreated") ?? throw new CertificateException("The row that begins the job is not there.");
        var finished = certificate.Find("maskJobFinished") ?? throw new CertificateException("The row that ends the job is not there.");
        var images = certificate.MaskedImages();
        var failures = certificate.Events.Select(e => e.Row).Where(r => r.Action == "instanceFailed").ToList();
        using var asked = JsonDocument.Parse(created.Details);
        using var key = certificate.PublicKey is { } pem ? AuditKey.Parse(pem) : null;

        var page = new StringBuilder("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Masking certificate</title><style>").Append(Style).Append("</style></head><body>\n");
        page.Append("<h1>Certificate of masking</h1>\n<dl>\n");
        Entry("Study Instance UID", created.StudyInstanceUid);
        Entry("Approved by", Person(created));
        Entry("Approved at", Time(created.At));
        Entry("Reason given", ReasonIn(asked));
        if ((certificate.Find("maskJobConfirmed") ?? certificate.Find("maskJobDeclined")) is { } second)
        {
            var word = second.Action == "maskJobConfirmed" ? "Confirmed" : "Declined";
            using var said = JsonDocument.Parse(second.Details);
            Entry($"{word} by", Person(second));
            Entry($"{word} at", Time(second.At));
            Entry("Reason of the second person", ReasonIn(said));
        }

        Entry("Finished at", Time(finished.At));
        if (certificate.RestorableUntil() is { } until)
        {
            Entry("Originals kept", $"encrypted, until {Time(until)}: until then they could be restored");
            var restored = certificate.Events.Count(e => e.Row.Action == "instanceRestored");
            Entry("Originals restored", restored == 0 ? "none up to the issue of this certificate" : $"{Number(restored)}, so these images are NOT masked any more by this job");
        }

        Entry("Images masked", Number(images.Count));
        Entry("Images not masked", Number(failures.Count));
        Entry("Software", $"sidecar {finished.SoftwareVersion}");
        Entry("Mask job", certificate.Job);
        page.Append("</dl>\n<h2>Masked images</h2>\n<table><thead><tr><th scope=\"col\">Image</th><th scope=\"col\">Burned, in stored pixels</th><th scope=\"col\">Proof</th></tr></thead><tbody>\n");
        foreach (var image in images)
        {
            page.Append("<tr><td>").Append(Text(image.SopInstanceUid)).Append("<br><span class=\"small\">Series ").Append(Text(image.SeriesInstanceUid ?? "not recorded")).Append("</span></td><td>")
                .AppendJoin("<br>", image.Regions.Select(r => string.Create(CultureInfo.InvariantCulture, $"x {r.X}, y {r.Y}, {r.Width} × {r.Height}")))
                .Append("<br><span class=\"small\">").Append(DescribeFrames(image)).Append("</span></td><td>")
                .Append(Number(image.ChangedOutside)).Append(" samples changed outside<br>before <code>").Append(Text(image.Sha256))
                .Append("</code><br>after <code>").Append(Text(image.OutputSha256)).Append("</code></td></tr>\n");
        }

        page.Append("</tbody></table>\n");
        if (failures.Count > 0)
        {
            page.Append("<h2>Images that were not masked</h2>\n<p>Their originals are as they were.</p><ul>\n");
            foreach (var failure in failures)
            {
                using var details = JsonDocument.Parse(failure.Details);
                page.Append("<li>").Append(Text(failure.SopInstanceUid ?? "")).Append(": ").Append(Text(details.RootElement.GetProperty("reason").GetString() ?? "")).Append("</li>\n");
            }

            page.Append("</ul>\n");
        }

        page.Append("<h2>How to check this</h2>\n<p>The JSON form of this certificate holds the audit's rows of this job. <code>sidecar verify CERTIFICATE.json FILES…</code> computes their hashes again and compares the files "
            + "(SHA-256) with what is written here; it needs no connection to this service.</p>\n<dl>\n");
        Entry("Audit rows", $"{Number(certificate.Events[0].Row.Sequence)} to {Number(certificate.Events[^1].Row.Sequence)}");
        Entry("Hash of the last row", certificate.Events[^1].Row.Hash);
        Entry("Issued at", Time(certificate.IssuedAt));
        Entry("Signed with the key", key?.Fingerprint ?? "not signed: no key is set");
        page.Append("</dl>\n<p class=\"small\">Hashes are SHA-256. Copies made before the masking, such as backups and images sent elsewhere, are not covered.</p>\n</body></html>\n");
        return page.ToString();

        void Entry(string name, string? value) => page.Append("<dt>").Append(Text(name)).Append("</dt><dd>").Append(Text(value ?? "not recorded")).Append("</dd>\n");
    }

    private static string Person(AuditRow row) => row.Name == row.Subject ? row.Name : $"{row.Name} ({row.Subject})";

    private static string? ReasonIn(JsonDocument details) => details.RootElement.TryGetProperty("reason", out var reason) && reason.ValueKind == JsonValueKind.String ? reason.GetString() : "none";

    private static string DescribeFrames(Certificate.MaskedImage image) => image switch
    {
        { Frames: 1 } => "1 frame",
        { InSomeFrames.Count: 0 } => $"all {Number(image.Frames)} frames",
        _ => $"{Number(image.Frames)} frames; approved for some only: " + string.Join("; ", image.InSomeFrames.Select(m =>
            string.Create(CultureInfo.InvariantCulture, $"x {m.Region.X}, y {m.Region.Y}, {m.Region.Width} × {m.Region.Height} in {Text(m.Frames)}"))),
    };

    /// <summary>For people; to the second. The JSON form has what is stored.</summary>
    private static string Time(string at) =>
        DateTimeOffset.TryParse(at, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture) : at;

    private static string Text(string value) => HtmlEncoder.Default.Encode(value);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
