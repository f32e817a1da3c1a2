using Microsoft.AspNetCore.Http.HttpResults;
using Sidecar.Http;
using Sidecar.Orthanc;

namespace Sidecar.MaskJobs;

internal abstract record PlanResult
{
    private PlanResult()
    {
    }

    public sealed record Planned(MaskJobPlan Plan) : PlanResult;

    public sealed record Refused(ProblemHttpResult Problem) : PlanResult;
}

/// <summary>Checks a request and finds the instances it is about. Changes nothing.</summary>
internal sealed class MaskJobPlanner(StudyReader studies)
{
    private const int MostRegions = 100;
    private const int MostSeries = 1000;
    private const int LongestReason = 500;

    public async Task<PlanResult> Plan(MaskJobRequest request, CancellationToken token)
    {
        if (FaultOf(request) is { } fault)
        {
            return Refuse(400, "invalid-request", "Invalid request", fault);
        }

        var found = await studies.FindStudies(request.StudyInstanceUid, token);
        if (found.Count != 1)
        {
            return found.Count == 0
                ? Refuse(409, "study-unknown", "Study not found", "This study is not in the image archive (any more). Reload the study list.")
                : Refuse(409, "study-ambiguous", "Study not unique", "The image archive holds this study under several patient IDs, so it is not certain which images are meant. Ask the administrator to correct that first.");
        }

        var study = found[0];
        var source = await studies.FindInstance(study, request.Source.SopInstanceUid, token);
        if (source is null || source.SeriesInstanceUid != request.Source.SeriesInstanceUid)
        {
            return Refuse(409, "source-unknown", "Image not found", "The image on which the masks were drawn is not in the image archive (any more). Reload the study.");
        }

        if (source.Rows is not > 0 || source.Columns is not > 0)
        {
            return Refuse(400, "source-not-an-image", "Not an image", "The masks refer to an object without pixels.");
        }

        List<Region> regions = [];
        foreach (var region in request.Regions)
        {
            if (new Dicom.Pixels.Region(region.X, region.Y, region.Width, region.Height).ClipTo(source.Columns.Value, source.Rows.Value) is not { } inside)
            {
                return Refuse(400, "region-outside-image", "Mask outside the image",
                    $"The mask at x {region.X}, y {region.Y}, {region.Width} × {region.Height} lies outside the image, which has {source.Columns} × {source.Rows} pixels. Draw it again.");
            }

            regions.Add(new Region(inside.X, inside.Y, inside.Width, inside.Height));
        }

        List<StoredInstance> candidates = [];
        if (request.Scope == MaskScope.Image)
        {
            candidates.Add(source);
        }
        else
        {
            var series = await studies.ReadSeries(study, token);
            foreach (var uid in request.Scope == MaskScope.Series ? [request.Source.SeriesInstanceUid] : request.SeriesInstanceUids!.Distinct())
            {
                if (!series.TryGetValue(uid, out var id))
                {
                    return Refuse(409, "series-unknown", "Series not found", "A chosen series is not in this study (any more). Reload the study.");
                }

                candidates.AddRange(await studies.ReadInstances(id, token));
            }
        }

        var (instances, leftOut) = MaskJobPlan.Sort(source, candidates);
        return new PlanResult.Planned(new MaskJobPlan { Study = study, Regions = regions, Instances = instances, LeftOut = leftOut, ImagesVersion = MaskJobPlan.VersionOf(candidates) });
    }

    /// <summary>What is wrong with the request itself; null where nothing is.</summary>
    internal static string? FaultOf(MaskJobRequest request)
    {
        var uids = new[] { request.StudyInstanceUid, request.Source.SeriesInstanceUid, request.Source.SopInstanceUid }.Concat(request.SeriesInstanceUids ?? []);
        if (uids.Any(uid => uid is null || !MaskJobEndpoints.DicomUid().IsMatch(uid)))
        {
            return "A UID is missing or is not a DICOM UID.";
        }

        if (request.Regions.Count is 0 or > MostRegions)
        {
            return $"Give 1 to {MostRegions} regions.";
        }

        if (request.Regions.Any(r => r is null || r.X < 0 || r.Y < 0 || r.Width <= 0 || r.Height <= 0 || r.Width > int.MaxValue - r.X || r.Height > int.MaxValue - r.Y))
        {
            return "A region must start at 0 or further and be at least one pixel wide and high.";
        }

        if (!Enum.IsDefined(request.Scope) || request.Scope == MaskScope.Images)
        {
            return "scope must be image, series or study.";
        }

        if (!Enum.IsDefined(request.Priority))
        {
            return "priority must be interactive or bulk.";
        }

        if (request.Scope == MaskScope.Study ? request.SeriesInstanceUids is not { Count: > 0 and <= MostSeries } : request.SeriesInstanceUids is { Count: > 0 })
        {
            return $"Give seriesInstanceUids (1 to {MostSeries}) with scope study, and only then.";
        }

        return request.Reason is { Length: > LongestReason } ? $"reason must not be longer than {LongestReason} characters." : null;
    }

    private static PlanResult.Refused Refuse(int status, string name, string title, string detail) => new(Problems.Of(status, name, title, detail));
}
