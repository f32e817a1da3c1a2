using System.Security.Claims;
using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Http;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.Reviews;

/// <summary>Which studies users without the permission to review may know of, where <see cref="ReviewOptions.HoldUntilFinalized"/> is set: the finalized ones, as they were finalized.</summary>
internal sealed class HeldStudies(Database database, ReviewRefresh refresh, OrthancClient orthanc, IOptions<ReviewOptions> options)
{
    private const int StudiesAtOnce = 500;

    private sealed record FinalizedRow
    {
        public string StudyOrthancId { get; init; } = "";

        public string? LastUpdate { get; init; }

        public long IsListed { get; init; }
    }

    /// <summary>Studies are held back from this user.</summary>
    public bool AreHeldFrom(ClaimsPrincipal user) =>
        options.Value.HoldUntilFinalized && !user.HasClaim(BearerTokens.PermissionClaim, PermissionOptions.ReviewPermission);

    /// <summary>Those of <paramref name="studies"/> that are finalized, by their UIDs.</summary>
    public Task<IReadOnlySet<string>> FindReadable(IReadOnlyCollection<string> studies, CancellationToken token) =>
        database.Read<IReadOnlySet<string>>(
            async c =>
            {
                var readable = new HashSet<string>();
                foreach (var chunk in studies.Chunk(StudiesAtOnce))
                {
                    readable.UnionWith(await c.QueryAsync<string>($"SELECT study_instance_uid FROM reviews WHERE {c.IsOneOf("study_instance_uid", "@chunk")} AND finalized_at IS NOT NULL", new { chunk }));
                }

                return readable;
            },
            token);

    /// <summary>
    /// Whether this study, or this series or instance of it, may be read now. Orthanc is asked each time whether anything came since the study was finalized: a scan
    /// would notice it only later. If something did, the review is opened again.
    /// </summary>
    public async Task<bool> MayRead(string study, string? series, string? instance, CancellationToken token)
    {
        var row = await database.Read(
            c => c.QuerySingleOrDefaultAsync<FinalizedRow>(
                $"""
                SELECT r.study_orthanc_id, r.last_update,
                       CAST(CASE WHEN EXISTS (SELECT 1 FROM finalized_images i WHERE i.study_instance_uid = r.study_instance_uid
                                         {(series is null ? "" : "AND i.series_instance_uid = @series")} {(instance is null ? "" : "AND i.sop_instance_uid = @instance")}) THEN 1 ELSE 0 END AS BIGINT) AS is_listed
                FROM reviews r WHERE r.study_instance_uid = @study AND r.finalized_at IS NOT NULL
                """,
                new { study, series, instance }),
            token);
        if (row is not { IsListed: 1, LastUpdate: { } finalized })
        {
            return false; // also what Orthanc would find under another study than the address names
        }

        // Orthanc finds by UID alone, and one UID may stand for several resources: of another patient, or sent with a UID used twice.
        var found = (await orthanc.Lookup(study, token)).Where(a => a.Type == "Study").Select(a => a.Id).ToList();
        if (found.Count == 0)
        {
            return false; // it left the archive: there is nothing to read, and nothing to review
        }

        if (found is [var only] && only == row.StudyOrthancId
            && (await orthanc.ReadResource(OrthancLevel.Studies, new OrthancId(only), token)).LastUpdate == finalized)
        {
            return (instance ?? series) is not { } below || (await orthanc.Lookup(below, token)).Count == 1;
        }

        await database.Write(t => refresh.ReopenAsChanged(t, study), token);
        return false;
    }
}
