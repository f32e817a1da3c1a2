using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.Commands;
using Sidecar.Tests.Dicom;
using Xunit;

namespace Sidecar.Tests.Audit;

public sealed class CheckpointTests : IAsyncLifetime
{
    private AuditDatabase _audit = null!;
    private string _file = "";
    private string _key = "";
    private string _publicKey = "";

    public async Task InitializeAsync()
    {
        _audit = await AuditDatabase.Create();
        _file = Path.Combine(_audit.Folder, "checkpoints.ndjson");
        _key = MakeKey("key.pem", "prime256v1");
        _publicKey = Path.Combine(_audit.Folder, "public.pem");
        Oracle.Run("openssl", ["ec", "-in", _key, "-pubout", "-out", _publicKey]);
    }

    public Task DisposeAsync()
    {
        _audit.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_checkpoint_is_written_only_when_rows_were_appended_and_openssl_accepts_its_signature()
    {
        using var writer = Writer(_key);
        Assert.Null(await writer.Write(default));
        await _audit.AppendMany(3);
        var first = await writer.Write(default);
        Assert.Null(await writer.Write(default));
        await _audit.Append("more");
        var second = await writer.Write(default);

        using var key = AuditKey.Read(_publicKey);
        var (checkpoints, faults) = CheckpointFile.Read(_file, key);
        Assert.Empty(faults);
        Assert.Equal([first!, second!], checkpoints);
        Assert.Equal((3L, 4L), (first!.Sequence, second!.Sequence));

        var (text, signature) = (Path.Combine(_audit.Folder, "text"), Path.Combine(_audit.Folder, "signature"));
        await File.WriteAllTextAsync(text, $"sidecar-audit-checkpoint-1\n{first.Sequence}\n{first.Hash}\n{first.At}\n");
        await File.WriteAllBytesAsync(signature, Convert.FromBase64String(first.Signature!));
        Assert.Contains("Verified OK", Oracle.Run("openssl", ["dgst", "-sha256", "-verify", _publicKey, "-signature", signature, text]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_says_ok_and_how_many_checkpoints_it_compared()
    {
        await WriteTwoCheckpoints();

        var (status, output) = await Verify();

        Assert.Equal(0, status);
        Assert.Contains("ok      4 rows hold", output, StringComparison.Ordinal);
        Assert.Contains("ok      2 checkpoints, signed by", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_finds_rows_that_vanished_at_the_end_with_the_head()
    {
        await WriteTwoCheckpoints();
        var rows = await _audit.Rows();
        await _audit.Tamper($"DELETE FROM audit_events WHERE sequence = 4; UPDATE audit_head SET sequence = 3, hash = '{rows[2].Hash}'");

        var (status, output) = await Verify();

        Assert.Equal(1, status);
        Assert.Contains("FAILED  Row 4 is missing: a checkpoint saw row 4.", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("forged", "not signed by the key")]
    [InlineData("unsigned", "not signed by the key")]
    [InlineData("torn", "is not a checkpoint")]
    [InlineData("deleted", "cannot be read")]
    public async Task Verify_does_not_believe_checkpoints_that_somebody_touched(string deed, string fault)
    {
        await WriteTwoCheckpoints();
        var text = await File.ReadAllTextAsync(_file);
        switch (deed)
        {
            case "forged":
                await File.WriteAllTextAsync(_file, text.Replace("\"sequence\":4", "\"sequence\":3", StringComparison.Ordinal));
                break;
            case "unsigned":
                await File.AppendAllTextAsync(_file, $$"""{"sequence":4,"hash":"{{(await _audit.Rows())[3].Hash}}","at":"then"}""" + "\n");
                break;
            case "torn":
                await File.WriteAllTextAsync(_file, text[..^20]);
                break;
            case "deleted":
                File.Delete(_file);
                break;
        }

        var (status, output) = await Verify();

        Assert.Equal(1, status);
        Assert.Contains(fault, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_torn_line_the_next_checkpoint_has_a_line_of_its_own()
    {
        await File.WriteAllTextAsync(_file, "{\"sequence\":1,");
        CheckpointFile.Append(_file, new Checkpoint(2, "x", "then"));

        var (checkpoints, faults) = CheckpointFile.Read(_file, key: null);

        Assert.Equal([new Checkpoint(2, "x", "then")], checkpoints);
        Assert.Single(faults);
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_told_by_health_and_by_no_lost_row()
    {
        Directory.CreateDirectory(_file);
        await _audit.Append("one");
        using var writer = Writer(null);
        await writer.StopAsync(default);

        Assert.Contains("sidecar doctor", writer.Fault, StringComparison.Ordinal);
        Directory.Delete(_file);
        using var next = Writer(null);
        await next.StopAsync(default);
        Assert.Null(next.Fault);
        Assert.Single(CheckpointFile.Read(_file, key: null).Checkpoints);
    }

    [Theory]
    [InlineData("secp384r1")]
    [InlineData(null)]
    public void Another_kind_of_key_is_refused_in_words(string? curve)
    {
        var file = Path.Combine(_audit.Folder, "other.pem");
        if (curve is null)
        {
            File.WriteAllText(file, "no key");
        }
        else
        {
            MakeKey("other.pem", curve);
        }

        var refused = new AuditOptionsRules().Validate(null, new AuditOptions { SigningKeyFile = file, CheckpointFile = "/nowhere/at/all/file", Syslog = new() { Host = "syslog", CertificateFile = file } });

        Assert.Equal(3, refused.Failures!.Count());
        Assert.Contains("/nowhere/at/all/file does not exist", refused.FailureMessage, StringComparison.Ordinal);
        Assert.Contains("Audit:Syslog: CertificateFile and KeyFile are only of use together.", refused.FailureMessage, StringComparison.Ordinal);
        Assert.Contains("must be a readable PEM file with an ECDSA P-256 key", refused.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_is_verified_without_the_database_and_a_changed_word_in_it_is_found()
    {
        await WriteTwoCheckpoints();
        var export = Path.Combine(_audit.Folder, "export.ndjson");
        await File.WriteAllTextAsync(export, string.Concat((await _audit.Rows()).Select(AuditFormats.ToNdJson)));
        using var nothing = new ServiceCollection().BuildServiceProvider();

        Assert.Equal(0, await AuditCommand.Verify(nothing, TextWriter.Null, _file, _publicKey, export, default));
        await File.WriteAllTextAsync(export, (await File.ReadAllTextAsync(export)).Replace("action2", "action9", StringComparison.Ordinal));
        using var output = new StringWriter();
        Assert.Equal(1, await AuditCommand.Verify(nothing, output, _file, _publicKey, export, default));
        Assert.Contains("FAILED  Row 2 was changed", output.ToString(), StringComparison.Ordinal);
    }

    private async Task WriteTwoCheckpoints()
    {
        using var writer = Writer(_key);
        await _audit.AppendMany(3);
        await writer.Write(default);
        await _audit.Append("more");
        await writer.Write(default);
    }

    private CheckpointWriter Writer(string? key) =>
        new(_audit.Database, Options.Create(new AuditOptions { CheckpointFile = _file, SigningKeyFile = key }), TimeProvider.System, NullLogger<CheckpointWriter>.Instance);

    private async Task<(int Status, string Output)> Verify()
    {
        using var services = new ServiceCollection()
            .AddSingleton(new AuditVerification(_audit.Database))
            .AddSingleton(Options.Create(new AuditOptions { CheckpointFile = _file, SigningKeyFile = _key }))
            .BuildServiceProvider();
        using var output = new StringWriter();
        return (await AuditCommand.Verify(services, output, null, null, null, default), output.ToString());
    }

    private string MakeKey(string name, string curve)
    {
        var file = Path.Combine(_audit.Folder, name);
        Oracle.Run("openssl", ["ecparam", "-name", curve, "-genkey", "-noout", "-out", file]);
        return file;
    }
}
