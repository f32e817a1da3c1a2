using Xunit;

namespace Sidecar.Tests.Commands;

/// <summary>What <c>sidecar audit</c> says to whoever calls it; the chain and the checkpoints have tests of their own.</summary>
public sealed class AuditCommandTests : CommandTests
{
    private Dictionary<string, string> Settings => new()
    {
        ["SIDECAR_Storage__Directory"] = In("storage"),
        ["SIDECAR_Orthanc__BaseUrl"] = "http://127.0.0.1:9",
        ["SIDECAR_Journal__Key"] = Convert.ToBase64String(new byte[32]),
    };

    [Fact]
    public void Checkpoint_WithoutAFile_SaysWhichSettingLacks()
    {
        var run = Run(Settings, "audit", "checkpoint");

        Assert.Equal((1, "", "sidecar audit: Audit:CheckpointFile (SIDECAR_Audit__CheckpointFile) is not set, so there is no place for a checkpoint.\n"), (run.Status, run.Output, run.Errors));
    }

    [Fact]
    public void Checkpoint_OfAnEmptyAudit_WritesNothing()
    {
        var run = Run(new Dictionary<string, string>(Settings) { ["SIDECAR_Audit__CheckpointFile"] = In("checkpoints") }, "audit", "checkpoint");

        Assert.Equal((0, "The audit is empty; nothing was written.\n", ""), (run.Status, run.Output, run.Errors));
    }

    [Fact]
    public void Verify_WithoutCheckpoints_SaysWhatIsNotFoundWithoutThem()
    {
        var run = Run(Settings, "audit", "verify");

        Assert.Equal(0, run.Status);
        Assert.EndsWith("note    no checkpoints were given: rows removed at the end together with the head, and a chain computed anew, are not found without them\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_FileThatIsNoExport_SaysInWhichLine()
    {
        Put("export.ndjson", "{}\n"u8.ToArray());

        var run = Run(Settings, "audit", "verify", "--file", In("export.ndjson"));

        Assert.Equal((1, $"FAILED  Line 1 of {In("export.ndjson")} is not a row of the audit. 0 rows before it hold.\n"), (run.Status, run.Output));
    }

    [Fact]
    public void Export_FromNoTime_SaysHowToWriteOne()
    {
        var run = Run(Settings, "audit", "export", "--from", "yesterday");

        Assert.Equal(2, run.Status);
        Assert.Contains("--from is not a time; write it as 2026-01-31 or 2026-01-31T12:00:00Z.", run.Errors, StringComparison.Ordinal);
    }
}
