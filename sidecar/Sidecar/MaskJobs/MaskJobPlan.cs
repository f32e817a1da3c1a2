using System.Security.Cryptography;
using System.Text;
using Sidecar.Dicom.Codecs;
using Sidecar.Orthanc;

namespace Sidecar.MaskJobs;

/// <summary>What a job will change and what it leaves out, decided before anything is stored.</summary>
internal sealed record MaskJobPlan
{
    public required OrthancId Study { get; init; }

    /// <summary>Clipped to the source image.</summary>
    public required IReadOnlyList<Region> Regions { get; init; }

    public required IReadOnlyList<StoredInstance> Instances { get; init; }

    public required IReadOnlyList<LeftOut> LeftOut { get; init; }

    /// <summary>Changes when one of the images in scope, left out or not, is added, removed or stored again.</summary>
    public required string ImagesVersion { get; init; }

    public static string VersionOf(IEnumerable<StoredInstance> candidates) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Join('\n', candidates.Select(c => $"{c.Id.Value} {c.FileUuid}").Order(StringComparer.Ordinal)))));

    public MaskJobPreview ToPreview() => new(
        Instances.Count,
        Instances.Sum(i => (long)i.NumberOfFrames),
        [
            .. Instances.GroupBy(i => i.SeriesInstanceUid)
                .Select(s => new SeriesPreview(s.Key, s.First().Modality, s.Count(), s.Sum(i => (long)i.NumberOfFrames))),
        ],
        LeftOut,
        ImagesVersion);

    /// <summary>Sorts <paramref name="candidates"/> into those to be masked and those left out.</summary>
    /// <param name="source">The image the regions were drawn on: others must have its size.</param>
    public static (IReadOnlyList<StoredInstance> Instances, IReadOnlyList<LeftOut> LeftOut) Sort(StoredInstance source, IEnumerable<StoredInstance> candidates)
    {
        List<StoredInstance> instances = [];
        List<(StoredInstance Instance, LeftOutCode Code, string Message)> leftOut = [];
        foreach (var candidate in candidates)
        {
            if (ReasonAgainst(source, candidate) is var (code, message))
            {
                leftOut.Add((candidate, code, message));
            }
            else
            {
                instances.Add(candidate);
            }
        }

        return (instances, [.. leftOut.GroupBy(l => (l.Instance.SeriesInstanceUid, l.Code, l.Message)).Select(g => new LeftOut(g.Key.SeriesInstanceUid, g.Key.Code, g.Key.Message, g.Count()))]);
    }

    private static (LeftOutCode Code, string Message)? ReasonAgainst(StoredInstance source, StoredInstance candidate)
    {
        if (candidate.Rows is not > 0 || candidate.Columns is not > 0)
        {
            return (LeftOutCode.NotAnImage, "Not an image: there are no pixels to mask.");
        }

        if (candidate.Rows != source.Rows || candidate.Columns != source.Columns)
        {
            return (LeftOutCode.Size, $"Another size: {candidate.Columns} × {candidate.Rows} instead of {source.Columns} × {source.Rows} pixels.");
        }

        if (!candidate.HasPixelData)
        {
            return (LeftOutCode.Pixels, "The image holds no pixel data.");
        }

        var support = TransferSyntaxSupport.Find(candidate.TransferSyntaxUid);
        return support.CanMask ? null : (LeftOutCode.TransferSyntax, support.Reason ?? $"{support.Name} cannot be masked.");
    }
}
