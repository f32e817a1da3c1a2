using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Sidecar.Audit;
using Sidecar.Storage;

namespace Sidecar.Reviews;

/// <summary>Templates in the database, and where they fit.</summary>
internal sealed class TemplateStore(Database database, AuditLog audit, TimeProvider time)
{
    public const string FileFormat = "sidecar-mask-templates-1";

    private const int RowsAtOnce = 100;

    /// <summary>The part of a FROM: images of the ledger of a study that a template fits and that have none of its masks yet.</summary>
    private const string FittingImages =
        """
        scanned_instances s JOIN mask_templates m
        ON m.manufacturer = COALESCE(s.manufacturer, '') AND m.model = COALESCE(s.model, '') AND m.rows = s.rows AND m.columns = s.columns AND m.photometric = s.photometric AND m.sop_class = s.sop_class
        WHERE s.study_instance_uid = @study AND s.state = 'scanned'
          AND NOT EXISTS (SELECT 1 FROM scan_findings f WHERE f.orthanc_id = s.orthanc_id AND f.template_id = m.id AND f.state <> 'gone')
        """;

    private sealed record TemplateRow
    {
        public string Id { get; init; } = "";

        public string Name { get; init; } = "";

        public string Manufacturer { get; init; } = "";

        public string Model { get; init; } = "";

        public long Rows { get; init; }

        public long Columns { get; init; }

        public string Photometric { get; init; } = "";

        public string SopClass { get; init; } = "";

        public string Regions { get; init; } = "";

        public long Uses { get; init; }

        public string CreatedAt { get; init; } = "";

        public string CreatedByName { get; init; } = "";

        public long Images { get; init; }

        public MaskTemplate ToView() => new(
            Id, Name, new TemplateDevice(Manufacturer, Model), (int)Rows, (int)Columns, Photometric, SopClass, ReadRegions(), CreatedByName, Instant.FromText(CreatedAt), (int)Uses);

        public IReadOnlyList<FindingRegion> ReadRegions() => JsonSerializer.Deserialize(Regions, TemplateJson.Default.IReadOnlyListFindingRegion)!;
    }

    private sealed record ImageRow
    {
        public string OrthancId { get; init; } = "";

        public string SeriesInstanceUid { get; init; } = "";

        public string SopInstanceUid { get; init; } = "";

        public string Md5 { get; init; } = "";
    }

    public Task<IReadOnlyList<MaskTemplate>> List(CancellationToken token) =>
        database.Read<IReadOnlyList<MaskTemplate>>(
            async c => [.. (await c.QueryAsync<TemplateRow>("SELECT * FROM mask_templates ORDER BY manufacturer, model, rows, columns, name, id")).Select(r => r.ToView())],
            token);

    public Task<MaskTemplate> Create(MaskTemplateRequest request, string subject, string name, CancellationToken token) =>
        database.Write(
            async t =>
            {
                var id = await Insert(t, request, subject, name);
                await audit.Append(t, About("templateCreated", id, request, subject, name));
                return (await Find(t, id))!;
            },
            token);

    /// <summary>Null where there is no such template.</summary>
    public Task<MaskTemplate?> Change(string id, MaskTemplateRequest request, string subject, string name, CancellationToken token) =>
        database.Write(
            async t =>
            {
                var changed = await t.Connection!.ExecuteAsync(
                    """
                    UPDATE mask_templates SET name = @Name, manufacturer = @Manufacturer, model = @Model, rows = @Rows, columns = @Columns, photometric = @Photometric, sop_class = @SopClass, regions = @regions
                    WHERE id = @id
                    """,
                    new { id, request.Name, request.Device.Manufacturer, request.Device.Model, Rows = (long)request.Rows, Columns = (long)request.Columns, request.Photometric, request.SopClass, regions = Serialize(request.Regions) },
                    t);
                if (changed == 0)
                {
                    return null;
                }

                await audit.Append(t, About("templateChanged", id, request, subject, name));
                return await Find(t, id);
            },
            token);

    public Task<bool> Delete(string id, string subject, string name, CancellationToken token) =>
        database.Write(
            async t =>
            {
                if (await t.Connection!.ExecuteAsync("DELETE FROM mask_templates WHERE id = @id", new { id }, t) == 0)
                {
                    return false;
                }

                await audit.Append(t, new AuditEvent("templateDeleted", subject, name) { Details = new() { ["template"] = id } });
                return true;
            },
            token);

    /// <summary>Adds what is not there already, under the importer's name.</summary>
    public Task<MaskTemplateImport> Import(IReadOnlyList<MaskTemplateRequest> templates, string subject, string name, CancellationToken token) =>
        database.Write(
            async t =>
            {
                var known = (await t.Connection!.QueryAsync<TemplateRow>("SELECT * FROM mask_templates", transaction: t)).Select(r => KeyOf(ToRequest(r.ToView()))).ToHashSet();
                var added = 0;
                foreach (var template in templates.Where(template => known.Add(KeyOf(template))))
                {
                    await Insert(t, template, subject, name);
                    added++;
                }

                await audit.Append(t, new AuditEvent("templatesImported", subject, name) { Details = new() { ["added"] = added, ["known"] = templates.Count - added } });
                return new MaskTemplateImport(added, templates.Count - added);
            },
            token);

    public static MaskTemplateRequest ToRequest(MaskTemplate t) => new(t.Name, t.Device, t.Rows, t.Columns, t.Photometric, t.SopClass, t.Regions);

    /// <summary>The templates that fit images of a study in which their masks are not yet.</summary>
    public static async Task<IReadOnlyList<TemplateProposal>> FindProposals(DbConnection connection, DbTransaction? t, string study) =>
    [
        .. (await connection.QueryAsync<TemplateRow>($"SELECT m.id, m.name, m.regions, COUNT(*) AS images FROM {FittingImages} GROUP BY m.id, m.name, m.regions ORDER BY m.name, m.id", new { study }, t))
            .Select(r => new TemplateProposal(r.Id, r.Name, r.ReadRegions(), (int)r.Images)),
    ];

    /// <summary>Makes the template's masks accepted findings in all images of the study that it fits. Found is false where there is no such template.</summary>
    public static async Task<(bool Found, int Images)> Apply(DbTransaction t, string template, string study, string subject, string name, string at, string? reason)
    {
        var connection = t.Connection!;
        if (await connection.QuerySingleOrDefaultAsync<TemplateRow>("SELECT * FROM mask_templates WHERE id = @template", new { template }, t) is not { } row)
        {
            return (false, 0);
        }

        var images = (await connection.QueryAsync<ImageRow>(
            $"SELECT s.orthanc_id, s.series_instance_uid, s.sop_instance_uid, s.md5 FROM {FittingImages} AND m.id = @template", new { study, template }, t)).AsList();
        foreach (var chunk in images.SelectMany(i => row.ReadRegions().Select(r => (i, r))).Chunk(RowsAtOnce))
        {
            var parameters = new DynamicParameters(new { study, template, subject, name, at, reason });
            for (var i = 0; i < chunk.Length; i++)
            {
                var (image, region) = chunk[i];
                parameters.AddDynamicParams(new Dictionary<string, object?>
                {
                    [$"id{i}"] = Guid.CreateVersion7().ToString(),
                    [$"orthanc{i}"] = image.OrthancId,
                    [$"series{i}"] = image.SeriesInstanceUid,
                    [$"sop{i}"] = image.SopInstanceUid,
                    [$"md5{i}"] = image.Md5,
                    [$"x{i}"] = (long)region.X,
                    [$"y{i}"] = (long)region.Y,
                    [$"width{i}"] = (long)region.Width,
                    [$"height{i}"] = (long)region.Height,
                });
            }

            var rows = Enumerable.Range(0, chunk.Length).Select(i =>
                $"(@id{i}, @orthanc{i}, @study, @series{i}, @sop{i}, @md5{i}, @x{i}, @y{i}, @width{i}, @height{i}, 1000, 'other', 0, 'accepted', @at, @at, @subject, @name, @reason, @template)");
            await connection.ExecuteAsync(
                $"""
                INSERT INTO scan_findings (id, orthanc_id, study_instance_uid, series_instance_uid, sop_instance_uid, md5, x, y, width, height, confidence, kind, after_masking, state, found_at,
                                           decided_at, decided_by_subject, decided_by_name, decision_reason, template_id)
                VALUES {string.Join(',', rows)}
                """,
                parameters,
                t);
        }

        if (images.Count > 0)
        {
            await connection.ExecuteAsync("UPDATE mask_templates SET uses = uses + 1 WHERE id = @template", new { template }, t);
        }

        return (true, images.Count);
    }

    private async Task<string> Insert(DbTransaction t, MaskTemplateRequest request, string subject, string name)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow()).ToString();
        await t.Connection!.ExecuteAsync(
            """
            INSERT INTO mask_templates (id, name, manufacturer, model, rows, columns, photometric, sop_class, regions, uses, created_at, created_by_subject, created_by_name)
            VALUES (@id, @Name, @Manufacturer, @Model, @Rows, @Columns, @Photometric, @SopClass, @regions, 0, @at, @subject, @byName)
            """,
            new
            {
                id,
                request.Name,
                request.Device.Manufacturer,
                request.Device.Model,
                Rows = (long)request.Rows,
                Columns = (long)request.Columns,
                request.Photometric,
                request.SopClass,
                regions = Serialize(request.Regions),
                at = Instant.ToText(time.GetUtcNow()),
                subject,
                byName = name,
            },
            t);
        return id;
    }

    private static async Task<MaskTemplate?> Find(DbTransaction t, string id) =>
        (await t.Connection!.QuerySingleOrDefaultAsync<TemplateRow>("SELECT * FROM mask_templates WHERE id = @id", new { id }, t))?.ToView();

    private static AuditEvent About(string action, string id, MaskTemplateRequest request, string subject, string name) => new(action, subject, name)
    {
        Details = new()
        {
            ["template"] = id,
            ["manufacturer"] = request.Device.Manufacturer,
            ["model"] = request.Device.Model,
            ["rows"] = request.Rows,
            ["columns"] = request.Columns,
            ["regions"] = JsonNode.Parse(Serialize(request.Regions)),
        },
    };

    private static string KeyOf(MaskTemplateRequest t) =>
        $"{t.Name}\n{t.Device.Manufacturer}\n{t.Device.Model}\n{t.Rows} {t.Columns}\n{t.Photometric}\n{t.SopClass}\n{Serialize(t.Regions)}";

    private static string Serialize(IReadOnlyList<FindingRegion> regions) => JsonSerializer.Serialize(regions, TemplateJson.Default.IReadOnlyListFindingRegion);
}
