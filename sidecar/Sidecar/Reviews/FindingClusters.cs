using System.Security.Cryptography;
using System.Text;
using Sidecar.Dicom.Pixels;
using Sidecar.Dicom.Text;
using Sidecar.Storage;

namespace Sidecar.Reviews;

/// <summary>
/// Sorts the findings of a study into clusters, so that a person decides once about what is the same: findings of one kind at one place in images of one layout.
/// Pure: the same findings give the same clusters, with the same ids, whatever was decided meanwhile.
/// </summary>
internal sealed class FindingClusters
{
    /// <summary>Of two regions, intersection over union: from here on they are the same place. Text of changing length keeps its place.</summary>
    private const double SamePlace = 0.5;

    // Below this many like images "few of them" says nothing.
    private const int FewestForOutliers = 10;
    private const double OutlierShare = 0.1;

    private FindingClusters(IReadOnlyList<(FindingCluster View, IReadOnlyList<FindingRow> Members)> all) => All = all;

    /// <summary>The most alarming first.</summary>
    public IReadOnlyList<(FindingCluster View, IReadOnlyList<FindingRow> Members)> All { get; }

    public IReadOnlyList<FindingRow>? Find(string id) => All.Where(c => c.View.Id == id).Select(c => c.Members).FirstOrDefault();

    /// <param name="findings">Of one study, in any order.</param>
    /// <param name="imagesOf">How many images of the study have a layout.</param>
    public static FindingClusters Of(IEnumerable<FindingRow> findings, IReadOnlyDictionary<ImageLayout, int> imagesOf)
    {
        List<(FindingCluster View, IReadOnlyList<FindingRow> Members)> clusters = [];
        foreach (var alike in findings.GroupBy(f => (f.Layout, f.Kind, f.AfterMasking, f.TemplateId)))
        {
            List<List<FindingRow>> places = [];
            foreach (var finding in alike.OrderBy(f => f.SeriesInstanceUid, StringComparer.Ordinal).ThenBy(f => f.InstanceNumber ?? long.MaxValue).ThenBy(f => f.SopInstanceUid, StringComparer.Ordinal)
                .ThenBy(f => f.Y).ThenBy(f => f.X).ThenBy(f => f.Id, StringComparer.Ordinal))
            {
                // The first finding stands for its place: a cluster cannot wander over the image.
                var (best, overlap) = places.Select(p => (p, Overlap(p[0].Region, finding.Region))).DefaultIfEmpty(([], 0)).MaxBy(p => p.Item2);
                if (overlap >= SamePlace)
                {
                    best.Add(finding);
                }
                else
                {
                    places.Add([finding]);
                }
            }

            clusters.AddRange(places.Select(p => (ToView(alike.Key.Layout, p, imagesOf.GetValueOrDefault(alike.Key.Layout)), (IReadOnlyList<FindingRow>)p)));
        }

        return new FindingClusters([.. clusters
            .OrderByDescending(c => c.View.AfterMasking).ThenBy(c => RankOf(c.View.Kind)).ThenBy(c => c.View.MatchedAttribute is null).ThenByDescending(c => c.View.Confidence)
            .ThenByDescending(c => c.View.Images).ThenBy(c => c.View.Region.Y).ThenBy(c => c.View.Region.X).ThenBy(c => c.View.Id, StringComparer.Ordinal)]);
    }

    /// <summary>0 is the most alarming kind.</summary>
    public static int RankOf(FindingKind kind) => kind switch
    {
        FindingKind.PersonName => 0,
        FindingKind.Identifier => 1,
        FindingKind.Date => 2,
        FindingKind.Institution => 3,
        FindingKind.Other => 4,
        _ => 5,
    };

    public IReadOnlyList<Finding> ToFindings() => [.. All.SelectMany(c => c.Members.Select(m => ToView(m, c.View.Id)))];

    private static FindingCluster ToView(ImageLayout layout, List<FindingRow> members, int alike)
    {
        var images = members.Select(m => m.OrthancId).Distinct().Count();
        // Of several attributes the one that most findings resemble.
        var matched = members.Where(m => m.MatchedAttribute is not null).GroupBy(m => m.MatchedAttribute!).OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).FirstOrDefault()?.Key;
        return new FindingCluster(
            Id: IdOf(members),
            Kind: members[0].FindingKind,
            Confidence: members.Max(m => m.Confidence) / 1000.0,
            Region: members[0].Region,
            Images: images,
            Findings: members.Count,
            IsOutlier: alike >= FewestForOutliers && images <= alike * OutlierShare,
            AfterMasking: members[0].AfterMasking != 0,
            State: StateOf(members),
            SeriesInstanceUids: [.. members.Select(m => m.SeriesInstanceUid).Distinct()],
            Device: new FindingDevice(layout.Manufacturer, layout.Model, layout.Station),
            Rows: layout.Rows,
            Columns: layout.Columns,
            Photometric: layout.Photometric,
            SopClass: layout.SopClass,
            MatchedAttribute: matched,
            TemplateId: members[0].TemplateId);
    }

    private static Finding ToView(FindingRow row, string cluster) => new(
        row.Id,
        cluster,
        row.SeriesInstanceUid,
        row.SopInstanceUid,
        row.Region,
        row.Confidence / 1000.0,
        row.FindingKind,
        row.AfterMasking != 0,
        row.FindingState,
        (int?)row.InstanceNumber,
        row.Frames is null ? null : [.. FrameNumbers.Parse(row.Frames).Select(f => f + 1)],
        row.MatchedAttribute,
        row.DecidedAt is null || row.FindingState == FindingState.Open
            ? null
            : new FindingDecision(row.FindingState == FindingState.Dismissed ? DecisionAction.Dismiss : DecisionAction.Accept, row.DecidedByName ?? "", Instant.FromText(row.DecidedAt), row.DecisionReason, row.DecidedRegion),
        row.TemplateId);

    private static FindingState StateOf(List<FindingRow> members) =>
        ((FindingState[])[FindingState.Open, FindingState.Accepted, FindingState.Masked]).FirstOrDefault(s => members.Any(m => m.FindingState == s), FindingState.Dismissed);

    private static string IdOf(List<FindingRow> members) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', members.Select(m => m.Id)))))[..24];

    private static double Overlap(FindingRegion a, FindingRegion b)
    {
        var width = Math.Min(a.X + a.Width, b.X + b.Width) - Math.Max(a.X, b.X);
        var height = Math.Min(a.Y + a.Height, b.Y + b.Height) - Math.Max(a.Y, b.Y);
        if (width <= 0 || height <= 0)
        {
            return 0;
        }

        var common = (double)width * height;
        return common / (((double)a.Width * a.Height) + ((double)b.Width * b.Height) - common);
    }
}
