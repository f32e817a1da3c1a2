using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sidecar.Audit;
using Sidecar.Commands;
using Sidecar.Storage;
using Sidecar.Tests.Dicom;
using Sidecar.Tests.Http;
using Xunit;

namespace Sidecar.Tests.Audit;

public sealed class CertificateTests : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-certificate-");
    private readonly SidecarApp _app = new();
    private readonly string _key;

    public CertificateTests()
    {
        _key = Path.Combine(_folder.FullName, "key.pem");
        Oracle.Run("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", _key]);
        _app.Settings["Audit:SigningKeyFile"] = _key;
        Write("original.dcm", "with the text");
        Write("masked.dcm", "without the text");
        Write("other.dcm", "something else");
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_certificate_of_a_finished_job_holds_and_knows_its_masked_files()
    {
        await StoreJob(finished: true);
        var file = await Download("image-masking");

        var (status, output) = await Verify(file, "masked.dcm");

        Assert.Equal((0, ""), (status, output.Contains("FAILED", StringComparison.Ordinal) ? output : ""));
        Assert.Contains("ok      certificate: 4 audit rows hold", output, StringComparison.Ordinal);
        Assert.Contains("note    signed with the key", output, StringComparison.Ordinal);
        Assert.Contains("masked.dcm: image 1.2.3.1, as it was masked", output, StringComparison.Ordinal);
        Assert.Contains("ok      signed with the key", (await Verify(file, "masked.dcm", _key)).Output, StringComparison.Ordinal);
        Assert.Single(await AuditRows.Read(_app), r => r.Action == "certificateIssued");
    }

    [Fact]
    public void A_job_whose_rows_are_the_first_of_the_audit_has_a_certificate_that_holds()
    {
        var created = Row(1, "maskJobCreated", "{}", AuditChain.Genesis);
        var finished = Row(2, "maskJobFinished", """{"masked":0,"failed":0}""", created.Hash!);
        var certificate = new Certificate { Job = "job", IssuedAt = "2026-11-22T08:00:00.0000000Z", Events = [new(created, AuditChain.Genesis), new(finished, created.Hash!)] };

        Assert.Empty(certificate.FindFaults(null));
        var other = new string('1', AuditChain.Genesis.Length);
        Assert.Contains("Row 1 does not follow", (certificate with { Events = [new(Row(1, "maskJobCreated", "{}", other), other), .. certificate.Events.Skip(1)] }).FindFaults(null)[0], StringComparison.Ordinal);

        static AuditRow Row(long sequence, string action, string details, string previousHash)
        {
            var row = new AuditRow { Sequence = sequence, At = "2026-11-22T08:00:00.0000000Z", Action = action, Subject = "mia", Name = "Mia Masker", JobId = "job", SoftwareVersion = "1", Details = details };
            return row with { Hash = AuditChain.HashOf(previousHash, row) };
        }
    }

    [Theory]
    [InlineData("original.dcm", "this is the ORIGINAL of image 1.2.3.1, not masked")]
    [InlineData("other.dcm", "no image of this certificate, or changed since")]
    public async Task Other_files_are_refused_and_an_original_is_called_so(string name, string sentence)
    {
        await StoreJob(finished: true);

        var (status, output) = await Verify(await Download("audit-reader"), name);

        Assert.Equal(1, status);
        Assert.Contains(sentence, output, StringComparison.Ordinal);
        Assert.Contains("note    1 of the 1 masked images", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"frames\": 3", "\"frames\": 2", "was changed: its hash does not fit")]
    [InlineData("Mia Masker", "Eve Masker", "was changed: its hash does not fit")]
    [InlineData("sha256", "sha257", "does not tell what was done to its image.")]
    [InlineData("\"issuedAt\": \"2", "\"issuedAt\": \"1", "The signature is not one of the key")]
    [InlineData("\"signature\"", "\"nothing\"", "It is not signed")]
    [InlineData("DROP instanceMasked", "", "ended with another number of images (masked)")]
    [InlineData("DROP maskJobFinished", "", "begin and end the job are not both there")]
    [InlineData("DROP instanceFailed", "", "does not follow the row before it|ended with another number of images (failed)")]
    public async Task Whatever_is_changed_in_a_certificate_is_found(string old, string replacement, string fault)
    {
        await StoreJob(finished: true);
        var file = await Download("image-masking");
        var text = await File.ReadAllTextAsync(file);
        if (old.StartsWith("DROP ", StringComparison.Ordinal))
        {
            var json = JsonNode.Parse(text)!;
            json["events"]!.AsArray().RemoveAll(e => (string)e!["row"]!["action"]! == old[5..]);
            text = json.ToJsonString();
        }
        else
        {
            Assert.Contains(old.Replace(": ", ":", StringComparison.Ordinal), text.Replace(": ", ":", StringComparison.Ordinal), StringComparison.Ordinal);
            text = text.Replace(old, replacement, StringComparison.Ordinal).Replace(old.Replace(": ", ":", StringComparison.Ordinal), replacement.Replace(": ", ":", StringComparison.Ordinal), StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync(file, text);
        var (status, output) = await Verify(file, "masked.dcm", _key);

        Assert.Equal(1, status);
        Assert.Contains(fault.Split('|'), f => output.Contains(f, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_certificate_signed_by_somebody_else_is_refused_when_the_key_is_known()
    {
        await StoreJob(finished: true);
        var other = Path.Combine(_folder.FullName, "other.pem");
        Oracle.Run("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", other]);

        var (status, output) = await Verify(await Download("image-masking"), "masked.dcm", other);

        Assert.Equal(1, status);
        Assert.Contains("The signature is not one of the key", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_certificate_is_said_to_be_none()
    {
        var (status, output) = await Verify(Write("other.json", "{\"format\":1}"), "masked.dcm");

        Assert.Equal(1, status);
        Assert.Contains("not a certificate of this software, or is damaged", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_shows_everything_as_text_and_loads_nothing()
    {
        await StoreJob(finished: true);
        using var client = _app.ClientWith("audit-reader");

        using var answer = await client.GetAsync("/api/mask-jobs/job/certificate.html");

        var page = await answer.Content.ReadAsStringAsync();
        Assert.Equal("text/html", answer.Content.Headers.ContentType!.MediaType);
        foreach (var shown in (string[])["Mia Masker (mia)", "x 1, y 2, 30 × 40", "all 3 frames", "0 samples changed outside", "&lt;b&gt;wrong header&lt;/b&gt;", "It cannot be decoded.", HashOf("masked.dcm"), HashOf("original.dcm")])
        {
            Assert.Contains(shown, page, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_finished_job_there_is_no_certificate()
    {
        await StoreJob(finished: false);
        using var client = _app.ClientWith("image-masking");

        using var running = await client.GetAsync("/api/mask-jobs/job/certificate");
        using var unknown = await client.GetAsync("/api/mask-jobs/none/certificate");

        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.NotFound), (running.StatusCode, unknown.StatusCode));
        var problem = JsonNode.Parse(await running.Content.ReadAsStringAsync())!;
        Assert.Equal(("urn:sidecar:problem:no-certificate", "The mask job is not finished. Ask again when it is."), ((string?)problem["type"], (string?)problem["detail"]));
    }

    [Fact]
    public async Task A_mask_that_was_approved_for_some_frames_is_told_with_them()
    {
        await StoreJob(finished: true, masks: """[{"x":1,"y":2,"width":30,"height":40,"frames":"2-3"}]""");
        using var client = _app.ClientWith("audit-reader");

        var page = await client.GetStringAsync("/api/mask-jobs/job/certificate.html");

        Assert.Contains("3 frames; approved for some only: x 1, y 2, 30 × 40 in 2-3<", page, StringComparison.Ordinal);
        Assert.DoesNotContain("all 3 frames", page, StringComparison.Ordinal);
    }

    private async Task StoreJob(bool finished, string masks = "null")
    {
        var (database, log) = (_app.Services.GetRequiredService<Database>(), _app.Services.GetRequiredService<AuditLog>());
        await Append("maskJobCreated", new() { ["scope"] = "series", ["reason"] = "<b>wrong header</b>" });
        await log.AppendAlone(database, new AuditEvent("refused", "eve", "Eve"), default);
        await Append("instanceMasked", new()
        {
            ["regions"] = new JsonArray(new JsonObject { ["x"] = 1, ["y"] = 2, ["width"] = 30, ["height"] = 40 }),
            ["frames"] = 3,
            ["masks"] = JsonNode.Parse(masks),
            ["changedOutside"] = 0,
            ["sha256"] = HashOf("original.dcm"),
            ["outputSha256"] = HashOf("masked.dcm"),
        }, "1.2.3.1");
        await Append("instanceFailed", new() { ["reason"] = "It cannot be decoded." }, "1.2.3.2");
        if (finished)
        {
            await Append("maskJobFinished", new() { ["state"] = "failed", ["masked"] = 1, ["failed"] = 1 });
        }

        Task Append(string action, JsonObject details, string? sop = null) => log.AppendAlone(
            database, new AuditEvent(action, "mia", "Mia Masker") { JobId = "job", StudyInstanceUid = "1.2", SeriesInstanceUid = sop is null ? null : "1.2.3", SopInstanceUid = sop, Details = details }, default);
    }

    private async Task<string> Download(string role)
    {
        using var client = _app.ClientWith(role);
        return Write("certificate.json", await client.GetStringAsync("/api/mask-jobs/job/certificate"));
    }

    private async Task<(int Status, string Output)> Verify(string certificate, string file, string? key = null)
    {
        using var output = new StringWriter();
        return (await VerifyCommand.Run(certificate, [Path.Combine(_folder.FullName, file)], key, output, output, default), output.ToString());
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }

    private string HashOf(string name) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(_folder.FullName, name))));
}
