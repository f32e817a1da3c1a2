using System.Text.Json.Nodes;
using Sidecar.Tests.Storage;
using Xunit;
using static Sidecar.Tests.Reviews.ReviewStage;

namespace Sidecar.Tests.Reviews;

public sealed class FindingTests
{
    [Theory, OnSqlite, OnPostgres]
    public async Task A_study_is_shown_with_clusters_findings_and_what_could_not_be_scanned(string kind)
    {
        await using var stage = await ReviewStage.Create(kind);
        for (var i = 1; i <= 3; i++)
        {
            await stage.AddImage($"i{i}");
            await stage.AddFinding($"name{i}", $"i{i}", x: 4 + i);
        }

        await stage.AddFinding("date", "i2", y: 30, kind: "date", attribute: "StudyDate", frames: "1-2,4", confidence: 955);
        await stage.AddImage("i4", reason: "The pixels are cut off.");
        await stage.Look();

        var found = await stage.Findings();

        Assert.Equal(("findings", "scanned", "engine 1", false, 4), ((string)found["state"]!, (string)found["scan"]!["state"]!, (string)found["scan"]!["engine"]!, (bool)found["scan"]!["isWeak"]!, (int)found["scan"]!["images"]!));
        var clusters = found["clusters"]!.AsArray();
        Assert.Equal(["personName 3 open PatientName", "date 1 open StudyDate"], clusters.Select(c => $"{c!["kind"]} {c["images"]} {c["state"]} {c["matchedAttribute"]}"));
        Assert.Equal(0.955, (double)clusters[1]!["confidence"]!);
        var date = found["findings"]!.AsArray().Single(f => (string)f!["id"]! == "date")!;
        Assert.Equal("[1,2,4]", date["frames"]!.ToJsonString());
        Assert.Equal((string)clusters[1]!["id"]!, (string)date["clusterId"]!);
        Assert.Null(found["findings"]!.AsArray().First(f => (string)f!["id"]! == "name1")!["frames"]);
        var unscannable = Assert.Single(found["unscannable"]!.AsArray())!;
        Assert.Equal(("i4", "The pixels are cut off.", false), ((string)unscannable["id"]!, (string)unscannable["reason"]!, (bool)unscannable["acknowledged"]!));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task One_decision_covers_a_cluster_and_is_one_row_of_the_audit(string kind)
    {
        await using var stage = await ReviewStage.Create(kind);
        for (var i = 1; i <= 3; i++)
        {
            await stage.AddImage($"i{i}");
            await stage.AddFinding($"f{i}", $"i{i}");
        }

        var before = await stage.Findings();
        var cluster = (string)before["clusters"]![0]!["id"]!;

        var (status, after) = await stage.Decide(new { clusterId = cluster, action = "accept", region = new { x = 1, y = 2, width = 30, height = 12 } }, (string)before["findingsVersion"]!);

        Assert.Equal(200, status);
        Assert.Equal(("accepted", "inReview", cluster), ((string)after!["clusters"]![0]!["state"]!, (string)after["state"]!, (string)after["clusters"]![0]!["id"]!));
        Assert.All(after["findings"]!.AsArray(), f =>
        {
            Assert.Equal(("accept", "Rita", """{"x":1,"y":2,"width":30,"height":12}"""), ((string)f!["decision"]!["action"]!, (string)f["decision"]!["by"]!, f["decision"]!["region"]!.ToJsonString()));
            Assert.Equal("""{"x":4,"y":6,"width":20,"height":10}""", f["region"]!.ToJsonString());
        });
        var (subject, details) = Assert.Single(await stage.Audit("findingsDecided"));
        Assert.Equal("rita", subject);
        Assert.Equal("""{"action":"accept","reason":null,"region":{"x":1,"y":2,"width":30,"height":12},"images":3,"kinds":["personName"],"findings":["f1","f2","f3"]}""", details.ToJsonString());
        Assert.Equal("409 findings-changed", Problem(await stage.Decide(new { clusterId = cluster, action = "reopen" }, (string)before["findingsVersion"]!)));
        Assert.Equal("open", (string)(await stage.Decide(new { clusterId = cluster, action = "reopen" })).Body!["clusters"]![0]!["state"]!);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Of_a_request_with_one_wrong_decision_none_is_made(string kind)
    {
        await using var stage = await ReviewStage.Create(kind);
        await stage.AddImage("i1");
        await stage.AddFinding("f1", "i1");

        var answer = await Send(stage.Rita, "POST", "/api/scan-findings/decisions", new
        {
            study = Study,
            decisions = new object[] { new { findingIds = Ids("f1"), action = "accept" }, new { findingIds = Ids("unknown"), action = "accept" } },
        });

        Assert.Equal(("409 findings-changed", "A finding of your choice is not there any more: its image changed. Look again."), (Problem(answer), (string)answer.Body!["detail"]!));
        var group = await stage.Decide(new { clusterId = "unknown", action = "accept" });
        Assert.Equal(("409 findings-changed", "This group of findings is not the same any more. Look again."), (Problem(group), (string)group.Body!["detail"]!));
        Assert.Equal("open", (string)(await stage.Findings())["findings"]![0]!["state"]!);
        Assert.Empty(await stage.Audit("findingsDecided"));
        Assert.Equal(2, (await stage.Audit("refused")).Count);
    }

    [Fact]
    public async Task Images_that_could_not_be_scanned_are_acknowledged_as_the_file_that_was_looked_at()
    {
        await using var stage = await ReviewStage.Create(TestDatabase.Sqlite);
        await stage.AddImage("i1", reason: "It is cut off.");
        Assert.Equal(("It is cut off.", "damaged"), ((string)(await stage.Findings())["unscannable"]![0]!["reason"]!, (string)(await stage.Findings())["unscannable"]![0]!["cause"]!));

        var (_, acknowledged) = await stage.Decide(new { unscannableIds = Ids("i1"), action = "acknowledge", reason = "A report, no picture." });
        Assert.True((bool)acknowledged!["unscannable"]![0]!["acknowledged"]!);

        stage.Archive.Change("i1");
        await stage.Scan("i1", reason: "It is cut off.");
        Assert.False((bool)(await stage.Findings())["unscannable"]![0]!["acknowledged"]!);
    }

    [Fact]
    public async Task Decisions_that_cannot_be_meant_are_refused_with_a_sentence()
    {
        await using var stage = await ReviewStage.Create(TestDatabase.Sqlite);
        await stage.AddImage("i1");
        await stage.AddFinding("f1", "i1");
        string[] f1 = ["f1"];

        Assert.Equal("400 invalid-request", Problem(await stage.Decide(new { findingIds = f1, action = "dismiss" })));
        Assert.Equal("400 invalid-request", Problem(await stage.Decide(new { findingIds = f1, action = "dismiss", reason = new string('x', 501) })));
        Assert.Equal("400 invalid-request", Problem(await stage.Decide(new { findingIds = f1, clusterId = "c", action = "accept" })));
        Assert.Equal("400 invalid-request", Problem(await stage.Decide(new { findingIds = Array.Empty<string>(), action = "accept" })));
        Assert.Equal("400 invalid-request", Problem(await stage.Decide(new { findingIds = f1, action = "acknowledge" })));
        Assert.Equal("400 invalid-request", Problem(await stage.Decide(new { unscannableIds = f1, action = "accept" })));
        Assert.Equal("400 invalid-request", Problem(await stage.Decide(new { findingIds = f1, action = "dismiss", reason = "r", region = new { x = 0, y = 0, width = 1, height = 1 } })));
        Assert.Equal("400 invalid-request", Problem(await stage.Decide(new { findingIds = f1, action = "accept", region = new { x = -1, y = 0, width = 1, height = 1 } })));
        Assert.Equal("400 region-outside-image", Problem(await stage.Decide(new { findingIds = f1, action = "accept", region = new { x = 64, y = 0, width = 1, height = 1 } })));
        Assert.Equal("400 invalid-request", Problem(await Send(stage.Rita, "POST", "/api/scan-findings/decisions", new { study = "x", decisions = Array.Empty<object>() })));
        Assert.Equal("404 not-found", Problem(await Send(stage.Rita, "POST", "/api/scan-findings/decisions", new { study = "9.9", decisions = new[] { new { findingIds = f1, action = "accept" } } })));
        Assert.Equal("400 invalid-request", Problem(await Send(stage.Rita, "GET", "/api/scan-findings?study=abc")));
        Assert.Equal(403, (await Send(stage.As("mia", "image-masking"), "POST", "/api/scan-findings/decisions", new { study = Study, decisions = Array.Empty<object>() })).Status);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Accepted_findings_become_one_job_with_masks_of_each_images_own(string kind)
    {
        await using var stage = await ReviewStage.Create(kind);
        await stage.AddImage("i1");
        await stage.AddImage("i2");
        await stage.AddImage("i3");
        await stage.AddFinding("f1", "i1", frames: "1,3");
        await stage.AddFinding("f2", "i2", x: 30);
        await stage.AddFinding("f3", "i2", y: 30);
        await stage.AddFinding("f4", "i3");
        await stage.Decide(new { findingIds = Ids("f1", "f3"), action = "accept" });
        await stage.Decide(new { findingIds = Ids("f2"), action = "accept", region = new { x = 29, y = 5, width = 25, height = 12 } });
        await stage.Decide(new { findingIds = Ids("f4"), action = "dismiss", reason = "A side marker." });

        var (status, job) = await Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study, reason = "wrong banner" }, "key");

        Assert.Equal((202, "images", 2, 8), (status, (string)job!["scope"]!, (int)job["total"]!, (int)job["frames"]!));
        Assert.Equal("""[{"x":4,"y":6,"width":20,"height":10,"frames":"1,3"}]""", await stage.Text("SELECT masks FROM mask_job_items WHERE orthanc_id = 'i1'"));
        Assert.Equal("""[{"x":29,"y":5,"width":25,"height":12},{"x":4,"y":30,"width":20,"height":10}]""", await stage.Text("SELECT masks FROM mask_job_items WHERE orthanc_id = 'i2'"));
        Assert.Equal("md5-i2", await stage.Text("SELECT md5 FROM mask_job_items WHERE orthanc_id = 'i2'"));
        Assert.Equal((string)job["id"]!, (string)(await Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study, reason = "wrong banner" }, "key")).Body!["id"]!);
        Assert.Equal("422 idempotency-key-reused", Problem(await Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study }, "key")));
        Assert.Equal("400 nothing-to-mask", Problem(await Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study }, "other")));
        Assert.Equal("409 mask-job-running", Problem(await stage.Decide(new { findingIds = Ids("f1"), action = "reopen" })));
        Assert.Equal(2, Assert.Single(await stage.Audit("maskJobCreated")).Details["masks"]!.AsArray().Count);

        await stage.Execute("UPDATE mask_job_items SET state = 'masked'");
        Assert.Equal(["f1 masked", "f2 masked", "f3 masked", "f4 dismissed"], (await stage.Findings())["findings"]!.AsArray().Select(f => $"{f!["id"]} {f["state"]}").Order());
        Assert.Equal("409 finding-masked", Problem(await stage.Decide(new { findingIds = Ids("f1"), action = "reopen" })));

        // The scan of the masked image found the text again, and kept the row for the new file.
        await stage.Execute("UPDATE scan_findings SET md5 = 'md5-masked', after_masking = 1 WHERE id = 'f1'");
        Assert.Equal("accepted", (string)(await stage.Findings())["findings"]!.AsArray().Single(f => (string)f!["id"]! == "f1")!["state"]!);
    }

    [Fact]
    public async Task Nothing_is_masked_in_an_image_that_is_another_one_than_was_scanned()
    {
        await using var stage = await ReviewStage.Create(TestDatabase.Sqlite);
        await stage.AddImage("i1");
        await stage.AddImage("i2");
        await stage.AddFinding("f1", "i1");
        await stage.AddFinding("f2", "i2");
        await stage.Decide(new { findingIds = Ids("f1", "f2"), action = "accept" });
        stage.Archive.Change("i2");

        var answer = await Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study }, "key");

        Assert.Equal("409 images-changed", Problem(answer));
        Assert.StartsWith("1 of 2 images", (string)answer.Body!["detail"]!, StringComparison.Ordinal);
        Assert.Null(await stage.Text("SELECT id FROM mask_jobs"));
        stage.Archive.Images.Clear();
        Assert.Equal("409 study-unknown", Problem(await Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study }, "key")));
        Assert.Equal("400 idempotency-key", Problem(await Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study })));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Of_several_who_apply_at_once_one_gets_the_job(string kind)
    {
        await using var stage = await ReviewStage.Create(kind);
        await stage.AddImage("i1");
        await stage.AddFinding("f1", "i1");
        await stage.Decide(new { findingIds = Ids("f1"), action = "accept" });

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(n => Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study }, $"key-{n}")));

        Assert.Single(answers, a => a.Status == 202);
        Assert.All(answers.Where(a => a.Status != 202), a => Assert.Contains(Problem(a), Ids("400 nothing-to-mask", "409 findings-changed")));
        Assert.Equal("1", await stage.Text("SELECT CAST(COUNT(*) AS TEXT) FROM mask_job_items"));
    }

    [Fact]
    public async Task A_job_with_masks_of_each_images_own_cannot_be_asked_for_otherwise()
    {
        await using var stage = await ReviewStage.Create(TestDatabase.Sqlite);
        var request = new { studyInstanceUid = Study, source = new { seriesInstanceUid = "1", sopInstanceUid = "1" }, regions = new[] { new { x = 0, y = 0, width = 1, height = 1 } }, scope = "images" };
        Assert.Equal("400 invalid-request", Problem(await Send(stage.Rita, "POST", "/api/mask-jobs", request, "key")));
    }
}
