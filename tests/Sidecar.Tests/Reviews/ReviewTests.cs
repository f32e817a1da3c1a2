using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sidecar.Tests.Storage;
using Xunit;
using static Sidecar.Tests.Reviews.ReviewStage;

namespace Sidecar.Tests.Reviews;

public sealed class ReviewTests
{
    private const string Path = "/api/reviews/" + Study;

    [Theory, OnSqlite, OnPostgres]
    public async Task The_work_list_counts_states_and_shows_what_the_archive_says_now(string kind)
    {
        await using var stage = await ReviewStage.Create(kind);
        await Arrive("1.1", modality: "CT");
        await Arrive("1.2", finding: true);
        await Arrive("1.3", finding: true, kind: "harmless");
        await Arrive("1.4", isWeak: true);
        await Arrive("1.5", reason: "It is cut off.");
        await stage.Execute("INSERT INTO scan_runs (id, kind, state, priority, query, is_listed, created_at, created_by_subject, created_by_name, scanned, unscannable, findings) VALUES ('run', 'arrivals', 'running', 1, '{}', 1, '', '', '', 0, 0, 0) ON CONFLICT DO NOTHING");
        await stage.Execute("INSERT INTO scan_work (id, run_id, study_instance_uid, study_orthanc_id, series_instance_uid, series_orthanc_id, risk, instances, state, is_again, not_before, attempts, claims) SELECT 'w', id, '1.6', 'study-1.6', '1', '1', 0, 3, 'waiting', 0, 0, 0, 0 FROM scan_runs WHERE kind = 'arrivals'");
        await stage.Look();

        var list = await List("");

        Assert.Equal("""{"new":2,"clean":1,"findings":3,"inReview":0,"finalized":0}""", list["counts"]!.ToJsonString());
        Assert.Equal(["1.1 clean", "1.2 findings", "1.3 findings", "1.4 new", "1.5 findings", "1.6 new"], Of(list).Order());
        Assert.Equal(["1.1", "1.2", "1.3", "1.4", "1.5", "1.6"], Of(list).Select(i => i[..3])); // oldest first
        var first = list["items"]![0]!;
        Assert.Equal(("DOE^JANE", "P1", "Liver", "20261101", "CT"), ((string)first["patient"]!["name"]!, (string)first["patient"]!["id"]!, (string)first["description"]!, (string)first["studyDate"]!, (string)first["modalities"]![0]!));
        Assert.False((bool)list["items"]![5]!["isInArchive"]!);
        Assert.True((bool)list["items"]![3]!["isWeak"]!);
        Assert.Null(await stage.Text("SELECT study_instance_uid FROM reviews WHERE modalities LIKE '%DOE%' OR stations LIKE '%DOE%'"));

        Assert.Equal(["1.2 findings", "1.3 findings", "1.5 findings"], Of(await List("?state=findings")));
        Assert.Equal(["1.1 clean"], Of(await List("?modality=CT")));
        Assert.Equal([], Of(await List("?modality=C")));
        Assert.Equal([], Of(await List("?modality=%25")));
        Assert.Equal(5, Of(await List("?station=ROOM1")).Count);
        Assert.Equal([], Of(await List("?to=2026-01-01T00:00:00Z")));
        Assert.Equal(["1.2 findings", "1.3 findings", "1.5 findings"], Of(await List("?sort=risk&limit=3")));
        Assert.Equal(["1.5 findings", "1.4 new"], Of(await List("?sort=newest&offset=1&limit=2")));
        Assert.Equal(6, (int)(await List("?limit=1"))["total"]!);
        foreach (var wrong in (string[])["?state=old", "?sort=1", "?limit=0", "?limit=201", "?offset=-1"])
        {
            Assert.Equal("400 invalid-request", Problem(await Send(stage.Rita, "GET", "/api/reviews" + wrong)));
        }

        async Task Arrive(string study, string modality = "US", bool finding = false, string kind = "personName", bool isWeak = false, string? reason = null)
        {
            stage.App.Clock.Ahead += TimeSpan.FromSeconds(1);
            await stage.AddImage("i" + study, study, reason, isWeak: isWeak, modality: modality);
            if (finding)
            {
                await stage.AddFinding("f" + study, "i" + study, kind: kind);
            }

            await stage.Look();
        }

        async Task<JsonNode> List(string query) => JsonNode.Parse(await stage.Rita.GetStringAsync("/api/reviews" + query))!;

        static IReadOnlyList<string> Of(JsonNode list) => [.. list["items"]!.AsArray().Select(i => $"{i!["studyInstanceUid"]} {i["state"]}")];
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task One_banner_on_many_images_is_one_group_to_decide_also_in_the_row_of_an_earlier_version(string kind)
    {
        await using var stage = await ReviewStage.Create(kind);
        foreach (var i in Enumerable.Range(0, 12))
        {
            await stage.AddImage($"i{i}");
            await stage.AddFinding($"banner{i}", $"i{i}");
        }

        await stage.AddFinding("date", "i3", y: 30, kind: "date");
        await stage.Look();

        Assert.Equal("13 findings in 2 groups, 13 undecided in 2", await Counts());
        await Refused("13 undecided, in 2 groups");
        await stage.Decide(new { findingIds = Ids([.. Enumerable.Range(0, 12).Select(i => $"banner{i}")]), action = "dismiss", reason = "A scale." });
        Assert.Equal("13 findings in 2 groups, 1 undecided in 1", await Counts());

        await stage.Execute("UPDATE reviews SET finding_groups = NULL, undecided_groups = NULL");
        await stage.Look();
        Assert.Equal("13 findings in 2 groups, 1 undecided in 1", await Counts());

        async Task<string> Counts()
        {
            var view = JsonNode.Parse(await stage.Rita.GetStringAsync(Path))!;
            return $"{view["findings"]} findings in {view["findingGroups"]} groups, {view["undecided"]} undecided in {view["undecidedGroups"]}";
        }

        async Task Refused(string detail) =>
            Assert.Contains(detail, (string)(await Send(stage.Rita, "POST", Path + "/finalize", new { })).Body!["detail"]!, StringComparison.Ordinal);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_study_is_finalized_when_everything_is_decided_masked_and_scanned_and_opens_again_when_an_image_changes(string kind)
    {
        await using var stage = await ReviewStage.Create(kind);
        await stage.AddImage("i1");
        await stage.AddImage("i2", reason: "It is cut off.");
        await stage.AddFinding("f1", "i1");
        await stage.AddFinding("f2", "i1", y: 30);
        await stage.Look();

        Assert.Equal("inReview", (string)(await Send(stage.Rita, "PUT", Path, new { state = "inReview" })).Body!["state"]!);
        await Refused("409 findings-open", "2 undecided; 1 images that could not be scanned");
        await stage.Decide(new { findingIds = Ids("f1"), action = "accept" });
        await stage.Decide(new { findingIds = Ids("f2"), action = "dismiss", reason = "A scale." });
        await stage.Decide(new { unscannableIds = Ids("i2"), action = "acknowledge" });
        await Refused("409 findings-open", "1 accepted and not masked yet");

        await Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study }, "key");
        await stage.Execute("UPDATE mask_job_items SET state = 'masked'");
        await Refused("409 mask-job-running", "are being masked");
        await stage.Execute($"UPDATE mask_jobs SET state = 'succeeded', finished_at = '{Sidecar.Storage.Instant.ToText(stage.App.Clock.GetUtcNow())}'");
        Assert.Equal("scanned", await Scanned());
        stage.Archive.Change("i1");
        await stage.Execute(
            "INSERT INTO masked_instances (orthanc_id, sop_instance_uid, md5, uuid, job_id, masked_at) SELECT 'i1', 'sop', @Md5, 'uuid', id, finished_at FROM mask_jobs",
            new { stage.Archive.Images["i1"].Md5 });
        Assert.Equal("waiting", await Scanned()); // though nobody has told of the new image yet
        await Refused("409 scan-pending", "1 of 2 images");
        await stage.Scan("i1");
        Assert.Equal("scanned", await Scanned());
        await stage.Execute("UPDATE scan_findings SET state = 'masked' WHERE id = 'f1'");

        var (status, review) = await Send(stage.Rita, "POST", Path + "/finalize", new { reason = "All seen." });
        Assert.Equal((200, "finalized", "Rita", 0), (status, (string)review!["state"]!, (string)review["finalizedBy"]!, (int)review["open"]!));
        Assert.Equal("All seen.", (string)Assert.Single(await stage.Audit("reviewFinalized")).Details["reason"]!);
        await Refused("409 review-finalized", "Rita has finalized");
        var late = await stage.Decide(new { findingIds = Ids("f2"), action = "reopen" });
        Assert.Equal(("409 review-finalized", "Rita has finalized this study. Reopen it first."), (Problem(late), (string)late.Body!["detail"]!));
        await stage.Look();
        Assert.Equal("finalized", await State());

        stage.Archive.Change("i1");
        await stage.Scan("i1");
        await stage.Look();
        Assert.Equal("findings", await State());
        var (subject, details) = Assert.Single(await stage.Audit("reviewReopened"));
        Assert.Equal(("service", "imagesChanged", "Rita"), (subject, (string)details["cause"]!, (string)details["finalizedBy"]!));

        await stage.Decide(new { findingIds = Ids("f2"), action = "dismiss", reason = "A scale." });
        Assert.Equal(200, (await Send(stage.Rita, "POST", Path + "/finalize", new { })).Status);
        await stage.AddImage("i3");
        await stage.Look();
        Assert.Equal("findings", await State());

        Assert.Equal(200, (await Send(stage.Rita, "POST", Path + "/finalize", new { })).Status);
        await stage.AddFinding("f3", "i3"); // by a newer engine, of the same file
        await stage.Scan("i3");
        stage.App.Clock.Ahead += TimeSpan.FromSeconds(1);
        await stage.Scan("i3");
        await stage.Look();
        Assert.Equal("findings", await State());
        Assert.Equal(["imagesChanged", "imagesChanged", "newFindings"], (await stage.Audit("reviewReopened")).Select(r => (string)r.Details["cause"]!));

        async Task<string> Scanned() => (string)(await stage.Findings())["scan"]!["state"]!;

        async Task Refused(string problem, string detail)
        {
            var answer = await Send(stage.Rita, "POST", Path + "/finalize", new { });
            Assert.Equal(problem, Problem(answer));
            Assert.Contains(detail, (string)answer.Body!["detail"]!, StringComparison.Ordinal);
        }

        async Task<string> State() => (string)(await Send(stage.Rita, "GET", Path)).Body!["state"]!;
    }

    [Fact]
    public async Task A_person_opens_a_finalized_study_again_with_a_reason_and_a_study_is_taken_from_another()
    {
        await using var stage = await ReviewStage.Create(TestDatabase.Sqlite);
        using var otto = stage.As("otto", "image-review");
        Assert.Equal("404 not-found", Problem(await Send(stage.Rita, "PUT", Path, new { state = "inReview" })));
        await stage.AddImage("i1");
        await stage.Look();

        await Send(stage.Rita, "PUT", Path, new { state = "inReview" });
        await Send(stage.Rita, "PUT", Path, new { state = "inReview" });
        Assert.Equal("Otto", (string)(await Send(otto, "PUT", Path, new { state = "inReview" })).Body!["openedBy"]!);
        Assert.Equal([null, "Rita"], (await stage.Audit("reviewOpened")).Select(r => (string?)r.Details["takenFrom"]));
        Assert.Equal("400 invalid-request", Problem(await Send(otto, "PUT", Path, new { state = "clean" })));
        var open = await Send(otto, "POST", Path + "/reopen", new { reason = "r" });
        Assert.Equal(("409 review-open", "This study is not finalized (any more)."), (Problem(open), (string)open.Body!["detail"]!));
        await Send(otto, "POST", Path + "/finalize", new { });
        Assert.Equal("409 review-finalized", Problem(await Send(otto, "PUT", Path, new { state = "inReview" })));
        Assert.Equal("400 invalid-request", Problem(await Send(otto, "POST", Path + "/reopen", new { })));
        Assert.Equal("clean", (string)(await Send(otto, "POST", Path + "/reopen", new { reason = "Looked at the wrong one." })).Body!["state"]!);
        Assert.Equal(("otto", "person"), (Assert.Single(await stage.Audit("reviewReopened")).Subject, (string)(await stage.Audit("reviewReopened"))[0].Details["cause"]!));
        Assert.Null(await stage.Text("SELECT orthanc_id FROM finalized_images"));
    }

    [Fact]
    public async Task A_study_that_left_the_archive_leaves_the_work_list()
    {
        await using var stage = await ReviewStage.Create(TestDatabase.Sqlite);
        await stage.AddImage("i1");
        await stage.AddImage("i2", "4.5.6");
        await stage.Look();
        await Send(stage.Rita, "POST", Path + "/finalize", new { });
        stage.Archive.Images.Remove("i1");
        var listed = JsonNode.Parse(await stage.Rita.GetStringAsync("/api/reviews?state=finalized"))!;
        Assert.False((bool)listed["items"]![0]!["isInArchive"]!);

        await stage.Execute("DELETE FROM scanned_instances WHERE orthanc_id = 'i1'"); // as discovery does
        await stage.App.Services.GetRequiredService<Sidecar.Reviews.ReviewWatch>().ForgetGone(default);

        Assert.Equal(["4.5.6"], JsonNode.Parse(await stage.Rita.GetStringAsync("/api/reviews"))!["items"]!.AsArray().Select(i => (string)i!["studyInstanceUid"]!));
        Assert.Null(await stage.Text("SELECT orthanc_id FROM finalized_images"));
    }

    [Fact]
    public async Task What_changed_while_no_sidecar_ran_is_noticed_at_the_next_start_and_nothing_is_looked_at_twice()
    {
        await using var stage = await ReviewStage.Create(TestDatabase.Sqlite);
        await stage.AddImage("i1");
        await stage.AddImage("i2", "4.5.6");

        Assert.Equal(2, await stage.Look());
        Assert.Equal(0, await stage.Look());
        stage.App.Clock.Ahead += TimeSpan.FromMinutes(10);
        await stage.Scan("i1");
        Assert.Equal(1, await stage.Look());
        Assert.Equal(0, await stage.Look());
    }
}
