using System.Text.Json.Nodes;
using Sidecar.Tests.Storage;
using Xunit;
using static Sidecar.Tests.Reviews.ReviewStage;

namespace Sidecar.Tests.Reviews;

public sealed class TemplateAndSampleTests
{
    private static object Template(string name = "Banner", string model = "M1", int rows = 48, int y = 0) => new
    {
        name,
        device = new { manufacturer = "Maker", model },
        rows,
        columns = 64,
        photometric = "MONOCHROME2",
        sopClass = "1.2.840.10008.5.1.4.1.1.6.1",
        regions = new[] { new { x = 0, y, width = 64, height = 8 } },
    };

    [Theory, OnSqlite, OnPostgres]
    public async Task A_template_is_proposed_for_the_next_such_study_and_accepted_as_findings(string kind)
    {
        await using var stage = await ReviewStage.Create(kind);
        var (status, made) = await Send(stage.Rita, "POST", "/api/mask-templates", Template());
        Assert.Equal((201, "Rita", 0), (status, (string)made!["createdBy"]!, (int)made["uses"]!));
        await Send(stage.Rita, "POST", "/api/mask-templates", Template("Other device", "M2"));
        await Send(stage.Rita, "POST", "/api/mask-templates", Template("Other size", rows: 50));
        await stage.AddImage("i1");
        await stage.AddImage("i2");
        await stage.Look();

        var proposal = Assert.Single((await stage.Findings())["templates"]!.AsArray())!;
        Assert.Equal(("Banner", 2, """[{"x":0,"y":0,"width":64,"height":8}]"""), ((string)proposal["name"]!, (int)proposal["images"]!, proposal["regions"]!.ToJsonString()));

        var (_, after) = await stage.Decide(new { templateId = (string)proposal["id"]!, action = "accept" });
        Assert.Empty(after!["templates"]!.AsArray());
        Assert.Equal(("accepted", "other", 2, (string)proposal["id"]!), ((string)after["clusters"]![0]!["state"]!, (string)after["clusters"]![0]!["kind"]!, (int)after["clusters"]![0]!["images"]!, (string)after["clusters"]![0]!["templateId"]!));
        Assert.Equal("409 findings-changed", Problem(await stage.Decide(new { templateId = (string)proposal["id"]!, action = "accept" })));
        Assert.Equal("404 not-found", Problem(await stage.Decide(new { templateId = "none", action = "accept" })));
        Assert.Equal(2, (int)(await Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study }, "key")).Body!["total"]!);
        Assert.Equal(1, (int)(await List())[0]!["uses"]!);

        async Task<JsonArray> List() => (await Send(stage.Rita, "GET", "/api/mask-templates")).Body!["templates"]!.AsArray();
    }

    [Fact]
    public async Task Templates_are_changed_deleted_exported_and_imported_once()
    {
        await using var stage = await ReviewStage.Create(TestDatabase.Sqlite);
        using var ada = stage.As("ada", "sidecar-administrator");
        using var mia = stage.As("mia", "image-masking");
        var id = (string)(await Send(stage.Rita, "POST", "/api/mask-templates", Template())).Body!["id"]!;
        Assert.Equal("Foot", (string)(await Send(stage.Rita, "PUT", $"/api/mask-templates/{id}", Template("Foot", y: 40))).Body!["name"]!);
        await Send(stage.Rita, "POST", "/api/mask-templates", Template());

        var file = (await Send(mia, "GET", "/api/mask-templates/export")).Body!;
        Assert.Equal("sidecar-mask-templates-1", (string)file["format"]!);
        Assert.DoesNotContain("Rita", file.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(204, (await Send(stage.Rita, "DELETE", $"/api/mask-templates/{id}")).Status);
        Assert.Equal("404 not-found", Problem(await Send(stage.Rita, "DELETE", $"/api/mask-templates/{id}")));
        Assert.Equal("404 not-found", Problem(await Send(stage.Rita, "PUT", $"/api/mask-templates/{id}", Template())));
        Assert.Equal("""{"added":1,"known":1}""", (await Send(ada, "POST", "/api/mask-templates/import", file)).Body!.ToJsonString());
        Assert.Equal("""{"added":0,"known":2}""", (await Send(ada, "POST", "/api/mask-templates/import", file)).Body!.ToJsonString());

        file["templates"]!.AsArray().Add(JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(Template("New", y: 41))));
        var wrong = await Send(ada, "POST", "/api/mask-templates/import", file);
        Assert.Equal("400 invalid-request", Problem(wrong));
        Assert.StartsWith("Template 3 of the file: Give 1 to 100 regions, all inside", (string)wrong.Body!["detail"]!, StringComparison.Ordinal);
        Assert.Equal("400 invalid-request", Problem(await Send(ada, "POST", "/api/mask-templates/import", new { format = "other", templates = Array.Empty<object>() })));
        Assert.Equal("400 invalid-request", Problem(await Send(stage.Rita, "POST", "/api/mask-templates", Template(" "))));
        Assert.Equal(2, (await Send(mia, "GET", "/api/mask-templates")).Body!["templates"]!.AsArray().Count);
        Assert.Equal([1, 0], (await stage.Audit("templatesImported")).Select(r => (int)r.Details["added"]!));
        Assert.Single(await stage.Audit("templateDeleted"));
        Assert.Single(await stage.Audit("templateChanged"));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Samples_are_images_without_findings_spread_over_devices_and_a_miss_opens_the_study_again(string kind)
    {
        await using var stage = await ReviewStage.Create(kind);
        using var otto = stage.As("otto", "image-review");
        for (var i = 1; i <= 9; i++)
        {
            stage.Archive.Add($"{i}aaaaaaa-{i}", Study);
            await stage.Scan($"{i}aaaaaaa-{i}", model: i <= 6 ? "M1" : "M2");
        }

        await stage.AddFinding("f1", "1aaaaaaa-1");
        await stage.AddImage("2bbbbbbb-2", reason: "It is cut off.");
        await stage.Execute("UPDATE scan_findings SET state = 'dismissed', decided_at = '2026-11-22T08:00:00.0000000Z'");
        await stage.Decide(new { unscannableIds = Ids("2bbbbbbb-2"), action = "acknowledge" });
        Assert.Equal(200, (await Send(stage.Rita, "POST", $"/api/reviews/{Study}/finalize", new { })).Status);

        var first = (await Send(stage.Rita, "GET", "/api/samples/next")).Body!;
        Assert.Equal((string)first["id"]!, (string)(await Send(stage.Rita, "GET", "/api/samples/next")).Body!["id"]!);
        Assert.NotEqual((string)first["sopInstanceUid"]!, (string)(await Send(otto, "GET", "/api/samples/next")).Body!["sopInstanceUid"]!);
        Assert.Equal("2", await stage.Text("SELECT CAST(COUNT(DISTINCT model) AS TEXT) FROM samples")); // the second is of the device that had none
        Assert.Equal("404 not-found", Problem(await Send(otto, "POST", $"/api/samples/{first["id"]}", new { hasText = false })));
        Assert.Equal(204, (await Send(stage.Rita, "POST", $"/api/samples/{first["id"]}", new { hasText = false })).Status);
        Assert.Equal("409 sample-answered", Problem(await Send(stage.Rita, "POST", $"/api/samples/{first["id"]}", new { hasText = true })));
        Assert.Equal("finalized", (string)(await Send(stage.Rita, "GET", $"/api/reviews/{Study}")).Body!["state"]!);
        List<string> models = [];
        for (var n = 2; n <= 7; n++)
        {
            var (status, sample) = await Send(stage.Rita, "GET", "/api/samples/next");
            Assert.Equal(200, status);
            Assert.Equal(204, (await Send(stage.Rita, "POST", $"/api/samples/{sample!["id"]}", new { hasText = n == 2 })).Status);
            models.Add((await stage.Text($"SELECT model FROM samples WHERE id = '{sample["id"]}'"))!);
        }

        Assert.Equal(204, (await Send(stage.Rita, "GET", "/api/samples/next")).Status);
        Assert.Equal(["M1", "M2"], models.Distinct().Order());
        var review = (await Send(stage.Rita, "GET", $"/api/reviews/{Study}")).Body!;
        Assert.Equal(("findings", 1), ((string)review["state"]!, (int)review["missed"]!));
        var missed = Assert.Single((await stage.Findings())["missed"]!.AsArray());
        Assert.Equal(await stage.Text("SELECT sop_instance_uid FROM samples WHERE has_text = 1"), (string)missed!["sopInstanceUid"]!);
        Assert.Equal("409 findings-open", Problem(await Send(stage.Rita, "POST", $"/api/reviews/{Study}/finalize", new { })));
        Assert.Equal(7, (await stage.Audit("sampleReviewed")).Count);

        var dashboard = (await Send(stage.As("ada", "sidecar-administrator"), "GET", "/api/dashboard")).Body!;
        Assert.Equal((7, 1), ((int)dashboard["missRate"]!["reviewed"]!, (int)dashboard["missRate"]!["missed"]!));
        Assert.Equal(0.5787, (double)dashboard["missRate"]!["upperBound95"]!, 4);
        Assert.Equal(2, dashboard["missRate"]!["byStratum"]!.AsArray().Count);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task An_answer_is_corrected_by_who_gave_it_while_the_image_is_the_same(string kind)
    {
        await using var stage = await ReviewStage.Create(kind);
        using var otto = stage.As("otto", "image-review");
        stage.Archive.Add("1aaaaaaa-1", Study);
        await stage.Scan("1aaaaaaa-1");
        await stage.Look();
        var sample = (string)(await Send(stage.Rita, "GET", "/api/samples/next")).Body!["id"]!;
        var path = $"/api/samples/{sample}";

        Assert.Equal("404 not-found", Problem(await Send(stage.Rita, "PUT", path, new { hasText = false }))); // not answered yet
        await Send(stage.Rita, "POST", path, new { hasText = true });
        var missed = Assert.Single((await stage.Findings())["missed"]!.AsArray())!;
        Assert.Equal(("Rita", "rita", sample), ((string)missed["seenBy"]!, (string)missed["seenBySubject"]!, (string)missed["sampleId"]!));
        Assert.Equal("404 not-found", Problem(await Send(otto, "PUT", path, new { hasText = false })));
        Assert.Equal("409 findings-open", Problem(await Finalize()));

        Assert.Equal(204, (await Send(stage.Rita, "PUT", path, new { hasText = false })).Status);
        Assert.Equal(204, (await Send(stage.Rita, "PUT", path, new { hasText = false })).Status);
        Assert.Empty((await stage.Findings())["missed"]!.AsArray());
        Assert.Equal(0, (int)(await Send(stage.Rita, "GET", "/api/dashboard")).Body!["missRate"]!["missed"]!);
        Assert.Equal(200, (await Finalize()).Status);

        // Text that is seen only at the second look opens the study again.
        Assert.Equal(204, (await Send(stage.Rita, "PUT", path, new { hasText = true })).Status);
        Assert.Equal(("findings", 1), ((string)(await Review())["state"]!, (int)(await Review())["missed"]!));
        Assert.Equal([("rita", false), ("rita", true)], (await stage.Audit("sampleCorrected")).Select(r => (r.Subject, (bool)r.Details["hasText"]!)));
        Assert.Equal("newFindings", (string)Assert.Single(await stage.Audit("reviewReopened")).Details["cause"]!);

        await stage.Execute("UPDATE scanned_instances SET md5 = 'masked'");
        var late = await Send(stage.Rita, "PUT", path, new { hasText = false });
        Assert.Equal("409 images-changed", Problem(late));
        Assert.Equal("The image has been masked, sent again or removed since you answered, so your answer stays: it is about the image as it was.", (string)late.Body!["detail"]!);

        Task<(int Status, JsonNode? Body)> Finalize() => Send(stage.Rita, "POST", $"/api/reviews/{Study}/finalize", new { });
        async Task<JsonNode> Review() => (await Send(stage.Rita, "GET", $"/api/reviews/{Study}")).Body!;
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_dashboard_counts_findings_images_and_what_waits(string kind)
    {
        await using var stage = await ReviewStage.Create(kind);
        await stage.AddImage("i1");
        await stage.AddImage("i2", modality: "CT");
        await stage.AddFinding("f1", "i1");
        await stage.AddFinding("f2", "i1", y: 30, kind: "date");
        await stage.AddFinding("f3", "i2", kind: "date");
        await stage.Execute("UPDATE scan_findings SET state = 'gone' WHERE id = 'f3'");
        await stage.Look();

        var dashboard = (await Send(stage.As("ann", "audit-reader"), "GET", "/api/dashboard?days=2")).Body!;

        Assert.Equal("""[{"name":"US","findings":2,"images":1}]""", dashboard["findings"]!["byModality"]!.ToJsonString());
        Assert.Equal("""[{"name":"date","findings":1,"images":1},{"name":"personName","findings":1,"images":1}]""", dashboard["findings"]!["byKind"]!.ToJsonString());
        Assert.Equal(("ROOM1", 2), ((string)dashboard["findings"]!["byStation"]![0]!["name"]!, (int)dashboard["throughput"]!["byDay"]![0]!["instances"]!));
        Assert.Equal((8, 0L, 0.0), ((int)dashboard["throughput"]!["byDay"]![0]!["frames"]!, (long)dashboard["queue"]!["waiting"]!, (double)dashboard["queue"]!["oldestSeconds"]!));
        Assert.Equal("""{"reviewed":0,"missed":0,"upperBound95":1,"byStratum":[]}""", dashboard["missRate"]!.ToJsonString());
        Assert.Equal("400 invalid-request", Problem(await Send(stage.Rita, "GET", "/api/dashboard?days=0")));
        await stage.Execute("UPDATE scanned_instances SET scanned_at = '2026-01-01T00:00:00.0000000Z'");
        Assert.Empty((await Send(stage.Rita, "GET", "/api/dashboard?days=2")).Body!["throughput"]!["byDay"]!.AsArray());
    }
}
