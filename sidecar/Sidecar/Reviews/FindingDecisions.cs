using System.Data.Common;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.AspNetCore.Http.HttpResults;
using Sidecar.Audit;
using Sidecar.Http;
using Sidecar.Storage;

namespace Sidecar.Reviews;

/// <summary>Records what a person decided about findings: all of a request, or nothing of it. Who, what and why goes into the audit with it.</summary>
internal sealed class FindingDecisions(Database database, AuditLog audit, ReviewRefresh refresh, TimeProvider time)
{
    private const int MostDecisions = 1000;
    private const int LongestReason = 500;

    /// <summary>A decision cannot be made; nothing of the request is.</summary>
    private sealed class RefusedException(ProblemHttpResult problem) : Exception
    {
        public ProblemHttpResult Problem => problem;
    }

    /// <summary>The findings after the decisions; or why none of them was made.</summary>
    public async Task<(StudyFindings? Findings, ProblemHttpResult? Problem)> Decide(DecisionRequest request, string subject, string name, CancellationToken token)
    {
        if (FaultOf(request) is { } fault)
        {
            return (null, Problems.Of(400, "invalid-request", "Invalid request", fault));
        }

        try
        {
            // By itself first: what it may have to write into the audit must not hold the audit while the findings are changed.
            await database.Write(t => refresh.Run(t, request.Study), token);
            return (await database.Write(t => Decide(t, request, subject, name), token), null);
        }
        catch (RefusedException e)
        {
            return (null, e.Problem);
        }
    }

    internal static string? FaultOf(DecisionRequest request)
    {
        if (request.Decisions.Count is 0 or > MostDecisions)
        {
            return $"Give 1 to {MostDecisions} decisions.";
        }

        foreach (var entry in request.Decisions)
        {
            if (entry is null || ((bool[])[entry.FindingIds is not null, entry.ClusterId is not null, entry.UnscannableIds is not null, entry.TemplateId is not null]).Count(given => given) != 1)
            {
                return "Each decision needs exactly one of findingIds, clusterId, unscannableIds and templateId.";
            }

            if (!Enum.IsDefined(entry.Action) || entry.FindingIds is { Count: 0 } || entry.UnscannableIds is { Count: 0 })
            {
                return "A decision has no action or is about nothing.";
            }

            if (entry.UnscannableIds is not null != (entry.Action is DecisionAction.Acknowledge) && !(entry.UnscannableIds is not null && entry.Action is DecisionAction.Reopen))
            {
                return "Images that could not be scanned are acknowledged (or reopened), findings are accepted, dismissed or reopened.";
            }

            if (entry.TemplateId is not null && entry.Action is not DecisionAction.Accept)
            {
                return "A template can only be accepted.";
            }

            if (entry.Action is DecisionAction.Dismiss && string.IsNullOrWhiteSpace(entry.Reason))
            {
                return "Say why the finding is dismissed (reason).";
            }

            if (entry.Reason is { Length: > LongestReason })
            {
                return $"reason must not be longer than {LongestReason} characters.";
            }

            if (entry.Region is { } r && (entry.Action is not DecisionAction.Accept || entry.TemplateId is not null))
            {
                return "A region can be given with accept only.";
            }

            if (entry.Region is { } region && (region.X < 0 || region.Y < 0 || region.Width <= 0 || region.Height <= 0 || region.Width > int.MaxValue - region.X || region.Height > int.MaxValue - region.Y))
            {
                return "A region must start at 0 or further and be at least one pixel wide and high.";
            }
        }

        return null;
    }

    private async Task<StudyFindings> Decide(DbTransaction t, DecisionRequest request, string subject, string name)
    {
        var connection = t.Connection!;
        await t.Lock($"findings {request.Study}"); // against scans that record at the same time
        var review = await ReviewRefresh.Find(t, request.Study) ?? throw Refuse(404, "not-found", "Not found", "Nothing is known of this study: it was not scanned yet.");
        if (review.FinalizedAt is not null)
        {
            throw Refuse(409, "review-finalized", "Review finalized", $"{review.FinalizedByName} has finalized this study. Reopen it first.");
        }

        var clusters = await FindingReader.ReadClusters(connection, t, request.Study);
        var unscannable = await FindingReader.ReadUnscannable(connection, t, request.Study);
        if (request.FindingsVersion is { } seen && seen != FindingReader.VersionOf(clusters, unscannable))
        {
            throw Refuse(409, "findings-changed", "Findings changed", "Since you looked, findings came or went, or somebody decided about them. Nothing was decided by this request. Look again.");
        }

        var known = clusters.All.SelectMany(c => c.Members).ToDictionary(f => f.Id);
        var at = Instant.ToText(time.GetUtcNow());
        List<AuditEvent> events = [];
        foreach (var entry in request.Decisions)
        {
            if (entry.UnscannableIds is { } images)
            {
                events.Add(await DecideOnImages(t, entry, images, unscannable, review, subject, name, at));
            }
            else if (entry.TemplateId is { } template)
            {
                events.Add(await AcceptTemplate(t, entry, template, request.Study, subject, name, at));
            }
            else
            {
                var findings = entry.ClusterId is { } cluster
                    ? clusters.Find(cluster) ?? throw Refuse(409, "findings-changed", "Findings changed", "This group of findings is not the same any more. Look again.")
                    : [.. entry.FindingIds!.Distinct().Select(id => known.GetValueOrDefault(id) ?? throw Refuse(409, "findings-changed", "Findings changed", "A finding of your choice is not there any more: its image changed. Look again."))];
                events.Add(await DecideOnFindings(t, entry, findings, request.Study, subject, name, at));
            }
        }

        if (review.OpenedAt is null)
        {
            await ReviewRefresh.Store(t, review with { OpenedAt = at, OpenedBySubject = subject, OpenedByName = name, State = "inReview" });
        }

        await refresh.Run(t, request.Study);
        var after = await FindingReader.Read(connection, t, request.Study);
        foreach (var happened in events)
        {
            await audit.Append(t, happened);
        }

        return after;
    }

    private static async Task<AuditEvent> DecideOnFindings(DbTransaction t, DecisionEntry entry, IReadOnlyList<FindingRow> findings, string study, string subject, string name, string at)
    {
        // What is burned is burned. Of a cluster the rest is decided; who names such a finding has not seen what happened.
        var changeable = findings.Where(f => f.FindingState != FindingState.Masked).ToList();
        if (changeable.Count == 0 || (entry.FindingIds is not null && changeable.Count < findings.Count))
        {
            throw Refuse(409, "finding-masked", "Masked already", "A finding of your choice is masked already; that cannot be decided otherwise.");
        }

        var ids = changeable.Select(f => f.Id).ToArray();
        if (await IsBeingMasked(t, ids))
        {
            throw Refuse(409, "mask-job-running", "Masking under way", "A mask job is burning a finding of your choice just now. Wait for its end.");
        }

        var region = entry.Region;
        if (region is not null)
        {
            foreach (var f in changeable)
            {
                if (f.Rows is { } rows && f.Columns is { } columns && (region.X >= columns || region.Y >= rows))
                {
                    throw Refuse(400, "region-outside-image", "Mask outside the image", $"The mask at x {region.X}, y {region.Y} lies outside the image, which has {columns} × {rows} pixels. Draw it again.");
                }
            }
        }

        var state = entry.Action switch
        {
            DecisionAction.Accept => "accepted",
            DecisionAction.Dismiss => "dismissed",
            _ => "open",
        };
        var reason = string.IsNullOrWhiteSpace(entry.Reason) ? null : entry.Reason.Trim();
        await t.Connection!.ExecuteAsync(
            $"""
            UPDATE scan_findings SET state = @state, decided_at = @at, decided_by_subject = @subject, decided_by_name = @name, decision_reason = @reason,
                decided_x = @x, decided_y = @y, decided_width = @width, decided_height = @height
            WHERE {t.Connection!.IsOneOf("id", "@ids")} AND state IN ('open', 'accepted', 'dismissed')
            """,
            new
            {
                ids,
                state,
                reason,
                at = state == "open" ? null : at,
                subject = state == "open" ? null : subject,
                name = state == "open" ? null : name,
                x = (long?)region?.X,
                y = (long?)region?.Y,
                width = (long?)region?.Width,
                height = (long?)region?.Height,
            },
            t);
        return new AuditEvent("findingsDecided", subject, name)
        {
            StudyInstanceUid = study,
            Details = new()
            {
                ["action"] = Word(entry.Action),
                ["reason"] = reason,
                ["region"] = region is null ? null : new JsonObject { ["x"] = region.X, ["y"] = region.Y, ["width"] = region.Width, ["height"] = region.Height },
                ["images"] = changeable.Select(f => f.OrthancId).Distinct().Count(),
                ["kinds"] = new JsonArray([.. changeable.Select(f => f.Kind).Distinct().Order(StringComparer.Ordinal).Select(k => (JsonNode)k)]),
                ["findings"] = new JsonArray([.. ids.Select(id => (JsonNode)id)]),
            },
        };
    }

    private static async Task<AuditEvent> DecideOnImages(DbTransaction t, DecisionEntry entry, IReadOnlyList<string> ids, IReadOnlyList<UnscannableRow> unscannable, ReviewRow review, string subject, string name, string at)
    {
        var reason = string.IsNullOrWhiteSpace(entry.Reason) ? null : entry.Reason.Trim();
        List<UnscannableRow> images = [];
        foreach (var id in ids.Distinct())
        {
            var image = unscannable.FirstOrDefault(u => u.OrthancId == id)
                ?? throw Refuse(409, "findings-changed", "Findings changed", "An image of your choice is not among those that could not be scanned any more. Look again.");
            images.Add(image);
            await t.Connection!.ExecuteAsync(
                entry.Action == DecisionAction.Reopen
                    ? "DELETE FROM acknowledged_images WHERE orthanc_id = @OrthancId AND md5 = @Md5"
                    : """
                      INSERT INTO acknowledged_images (orthanc_id, md5, study_instance_uid, reason, at, by_subject, by_name) VALUES (@OrthancId, @Md5, @study, @reason, @at, @subject, @name)
                      ON CONFLICT (orthanc_id, md5) DO NOTHING
                      """,
                new { image.OrthancId, image.Md5, study = review.StudyInstanceUid, reason, at, subject, name },
                t);
        }

        return new AuditEvent("findingsDecided", subject, name)
        {
            StudyInstanceUid = review.StudyInstanceUid,
            Details = new() { ["action"] = Word(entry.Action), ["reason"] = reason, ["unscannable"] = new JsonArray([.. images.Select(i => (JsonNode)i.SopInstanceUid)]) },
        };
    }

    private static async Task<AuditEvent> AcceptTemplate(DbTransaction t, DecisionEntry entry, string template, string study, string subject, string name, string at)
    {
        var (found, images) = await TemplateStore.Apply(t, template, study, subject, name, at, string.IsNullOrWhiteSpace(entry.Reason) ? null : entry.Reason.Trim());
        if (!found || images == 0)
        {
            throw found
                ? Refuse(409, "findings-changed", "Nothing to propose", "The template fits no image of this study in which its masks are not there already.")
                : Refuse(404, "not-found", "Not found", "There is no template with this id (any more).");
        }

        return new AuditEvent("findingsDecided", subject, name)
        {
            StudyInstanceUid = study,
            Details = new() { ["action"] = Word(entry.Action), ["reason"] = entry.Reason, ["template"] = template, ["images"] = images },
        };
    }

    private static async Task<bool> IsBeingMasked(DbTransaction t, string[] ids) =>
        await t.Connection!.ExecuteScalarAsync<long>(
            $"""
            SELECT COUNT(*) FROM mask_job_findings b JOIN mask_job_items i ON i.job_id = b.job_id AND i.orthanc_id = b.orthanc_id
            WHERE {t.Connection!.IsOneOf("b.finding_id", "@ids")} AND i.state = 'waiting'
            """,
            new { ids },
            t) > 0;

    private static string Word(DecisionAction action) => action.ToString().ToLowerInvariant();

    private static RefusedException Refuse(int status, string kind, string title, string detail) => new(Problems.Of(status, kind, title, detail));
}
