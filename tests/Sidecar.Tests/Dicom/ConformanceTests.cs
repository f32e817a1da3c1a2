using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Pixels;
using Sidecar.Workers;
using Xunit;
using Xunit.Abstractions;

namespace Sidecar.Tests.Dicom;

/// <summary>
/// Real files from a folder that is not part of the repository: each is masked exactly, as an independent decoder judges, or refused with a reason.
/// The folder is named by SIDECAR_CONFORMANCE_DIR; without it, shared/dicom beside the repository is taken where it exists.
/// </summary>
public sealed class ConformanceTests(ITestOutputHelper output)
{
    /// <summary>What pydicom and the judge cannot read, and why; the proof of the masker itself still holds for them.</summary>
    private static readonly Dictionary<string, string> NotJudged = new()
    {
        ["liver_rle.dcm"] = "pydicom does not decode 1-bit RLE",
        ["liver_j2k.dcm"] = "gdcm crashes on 1-bit JPEG 2000",
        ["DIRW0007"] = "pydicom does not go on behind a stray delimiter",
        ["liver_nonbyte_aligned_rle.dcm"] = "pydicom does not decode 1-bit RLE",
        ["CT0012.fragmented_no_bot_jpeg_ls.80.dcm"] = "gdcm does not put JPEG-LS frames together that are several fragments",
        ["CT0012.fragmented_no_bot_jpeg_ls.81.dcm"] = "gdcm does not put JPEG-LS frames together that are several fragments",
        ["GH340.dcm"] = "pydicom does not unpack 12-bit cells",
        ["gdcm-US-ALOKA-16.dcm"] = "the judge does not expand segmented palettes",
        ["parametric_map_float.dcm"] = "the judge knows no float pixels",
        ["parametric_map_double_float.dcm"] = "the judge knows no float pixels",
    };

    /// <summary>Private sequences that hold a copy of the image, which must go.</summary>
    private static readonly Dictionary<string, string> HoldsCopy = new() { ["GH133.dcm"] = "(07A3,10CE)" };

    [Fact]
    public void BurnMasks_RealFiles_AreMaskedExactlyOrRefusedWithAReason()
    {
        if (FindFolder() is not { } folder)
        {
            output.WriteLine("Ran on nothing: SIDECAR_CONFORMANCE_DIR is not set and there is no shared/dicom beside the repository.");
            return;
        }
        var outcomes = Oracle.InFolder(results => MaskAll(folder, results));
        output.WriteLine($"{outcomes.Count(outcome => outcome.IsMasked)} masked, {outcomes.Count(outcome => !outcome.IsMasked)} refused in {folder}.");
        Assert.NotEmpty(outcomes);
        var problems = outcomes.Select(outcome => outcome.Problem).Where(problem => problem is not null).ToList();
        Assert.True(problems.Count == 0, string.Join('\n', problems));
    }

    private List<(bool IsMasked, string? Problem)> MaskAll(string folder, string results)
    {
        using var pool = new CodecWorkerPool(new WorkerOptions(), new Quarantine());
        var masker = new InstanceMasker(NativeCodecs.AddTo(FrameCodecs.Managed, pool));
        var pairs = new List<Oracle.Pair>();
        var outcomes = new List<(bool IsMasked, string? Problem)>();
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order())
        {
            var result = Path.Combine(results, $"{outcomes.Count}.dcm");
            var outcome = Burn(masker, path, result);
            if (outcome is MaskOutcome.Masked { Proof: var proof })
            {
                outcomes.Add((true, null));
                if (NotJudged.TryGetValue(Path.GetFileName(path), out var why))
                {
                    output.WriteLine($"{Path.GetFileName(path)}: not judged, {why}.");
                    continue;
                }
                pairs.Add(new Oracle.Pair(path, result, [.. proof.Regions.Select(region => new[] { region.X, region.Y, region.Width, region.Height })],
                    HoldsCopy.GetValueOrDefault(Path.GetFileName(path), "none"), proof.OutputTransferSyntaxUid != proof.TransferSyntaxUid ? "TransferSyntaxUID" : "none",
                    proof.TransferSyntaxUid == TransferSyntaxUids.Jpeg2000 ? "PhotometricInterpretation" : "none"));
                continue;
            }
            var reason = outcome is MaskOutcome.Unsupported refused ? refused.Reason : ((MaskOutcome.Failed)outcome).Reason;
            output.WriteLine($"{Path.GetFileName(path)}: refused. {reason}");
            outcomes.Add((false, reason.Length > 10 ? null : $"{path}: no reason"));
        }
        outcomes.AddRange(pairs.Zip(Oracle.Compare(pairs), (pair, answer) => (Pair: pair, Problems: answer.GetProperty("problems").GetRawText()))
            .Where(judged => judged.Problems != "[]").Select(judged => (true, (string?)$"{judged.Pair.Original}: {judged.Problems}")));
        return outcomes;
    }

    private static MaskOutcome Burn(InstanceMasker masker, string path, string result)
    {
        using var original = File.OpenRead(path);
        using var burned = new FileStream(result, FileMode.CreateNew, FileAccess.ReadWrite);
        return masker.BurnMasks(original, burned, [new Mask(new Region(2, 2, 30, 12))], CancellationToken.None);
    }

    internal static string? FindFolder()
    {
        if (Environment.GetEnvironmentVariable("SIDECAR_CONFORMANCE_DIR") is { Length: > 0 } named)
        {
            return Directory.Exists(named) ? named : throw new DirectoryNotFoundException($"SIDECAR_CONFORMANCE_DIR names {named}, which does not exist.");
        }
        var beside = Path.Combine(Path.GetDirectoryName(Oracle.RepositoryRoot)!, "shared", "dicom");
        return Directory.Exists(beside) ? beside : null;
    }
}
