using Sidecar.Audit;
using Sidecar.Commands;
using Xunit;

namespace Sidecar.Tests.Commands;

/// <summary>What <c>sidecar verify</c> says; that it finds what was changed is tested with certificates of the service.</summary>
public sealed class VerifyCommandTests : IDisposable
{
    private const string At = "2026-11-22T08:00:00.0000000Z";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-verify-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_certificate_without_a_signature_is_whole_but_what_to_compare_it_with_is_told()
    {
        var (status, output, errors) = await Verify(Certificate(), []);

        Assert.Equal((0, ""), (status, errors));
        Assert.Equal("ok      certificate: 2 audit rows hold\nnote    it is not signed: compare the hash of its last row with the audit or a checkpoint\n", output);
    }

    [Fact]
    public async Task A_row_of_another_job_is_named()
    {
        var (status, output, _) = await Verify(Certificate() with { Job = "another" }, []);

        Assert.Equal(1, status);
        Assert.Contains("FAILED  certificate: Row 1 belongs to another job.\nFAILED  certificate: Row 2 belongs to another job.\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_none_is_told()
    {
        var (status, output, _) = await Verify(Certificate() with { PublicKey = "a key", Signature = "AAAA" }, []);

        Assert.Equal((1, "FAILED  certificate: The key in it cannot be read.\n"), (status, output));
    }

    [Theory]
    [InlineData("""{"format":"sidecar-certificate-9"}""", "It is of another form than this version reads.")]
    [InlineData("{", "It is not a certificate of this software, or is damaged.")]
    public async Task A_text_that_is_no_certificate_is_named_with_its_file(string text, string sentence)
    {
        var file = Write("certificate.json", text);

        Assert.Equal((1, "", $"sidecar verify: {file}: {sentence}\n"), await Verify(file, []));
    }

    [Fact]
    public async Task A_certificate_that_is_not_there_is_named()
    {
        var file = Path.Combine(_folder.FullName, "none.json");

        var (status, output, errors) = await Verify(file, []);

        Assert.Equal((1, ""), (status, output));
        Assert.StartsWith($"sidecar verify: {file}: Could not find file", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_that_are_not_there_are_wrong_usage()
    {
        var (status, _, errors) = await Verify(Write("certificate.json", Certificate().ToJson()), [Path.Combine(_folder.FullName, "none.dcm")]);

        Assert.Equal(2, status);
        Assert.StartsWith($"sidecar verify: The input {Path.Combine(_folder.FullName, "none.dcm")} does not exist", errors, StringComparison.Ordinal);
    }

    private Task<(int Status, string Output, string Errors)> Verify(Certificate certificate, IReadOnlyList<string> inputs) => Verify(Write("certificate.json", certificate.ToJson()), inputs);

    private static async Task<(int Status, string Output, string Errors)> Verify(string file, IReadOnlyList<string> inputs)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        return (await VerifyCommand.Run(file, inputs, null, output, errors, default), output.ToString(), errors.ToString());
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }

    private static Certificate Certificate()
    {
        var created = Row(1, "maskJobCreated", "{}", AuditChain.Genesis);
        var finished = Row(2, "maskJobFinished", """{"masked":0,"failed":0}""", created.Hash!);
        return new Certificate { Job = "job", IssuedAt = At, Events = [new(created, AuditChain.Genesis), new(finished, created.Hash!)] };
    }

    private static AuditRow Row(long sequence, string action, string details, string previousHash)
    {
        var row = new AuditRow { Sequence = sequence, At = At, Action = action, Subject = "mia", Name = "Mia Masker", JobId = "job", SoftwareVersion = "1", Details = details };
        return row with { Hash = AuditChain.HashOf(previousHash, row) };
    }
}
