using System.IO.Pipelines;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Sidecar.MaskJobs;
using Sidecar.Tests.Http;
using Sidecar.Tests.Reviews;
using Sidecar.Tests.Storage;
using Xunit;
using static Sidecar.Tests.Reviews.ReviewStage;

namespace Sidecar.Tests.MaskJobs;

/// <summary>One person approves, another confirms or declines, and until then nothing can be burned.</summary>
public sealed class TwoPersonApprovalTests
{
    private const string Create = "/api/mask-jobs";

    private static readonly object Drawn = new
    {
        studyInstanceUid = Study,
        source = new { seriesInstanceUid = Study + ".1", sopInstanceUid = Study + ".1.1" },
        regions = new[] { new { x = 1, y = 2, width = 3, height = 4 } },
        scope = "study",
        seriesInstanceUids = new[] { Study + ".1" },
        reason = "wrong banner",
    };

    [Theory]
    [InlineData(nameof(MaskJobState.AwaitingConfirmation), nameof(MaskJobEvent.Confirm), nameof(MaskJobState.Queued))]
    [InlineData(nameof(MaskJobState.AwaitingConfirmation), nameof(MaskJobEvent.Decline), nameof(MaskJobState.Declined))]
    [InlineData(nameof(MaskJobState.AwaitingConfirmation), nameof(MaskJobEvent.FinishCancelled), nameof(MaskJobState.Cancelled))]
    [InlineData(nameof(MaskJobState.AwaitingConfirmation), nameof(MaskJobEvent.Start), null)]
    [InlineData(nameof(MaskJobState.AwaitingConfirmation), nameof(MaskJobEvent.FinishAllMasked), null)]
    [InlineData(nameof(MaskJobState.Queued), nameof(MaskJobEvent.Confirm), null)]
    [InlineData(nameof(MaskJobState.Running), nameof(MaskJobEvent.Decline), null)]
    [InlineData(nameof(MaskJobState.Declined), nameof(MaskJobEvent.Confirm), null)]
    [InlineData(nameof(MaskJobState.Declined), nameof(MaskJobEvent.Start), null)]
    public void A_job_that_waits_for_a_second_person_goes_only_where_the_table_says(string state, string happened, string? next) =>
        Assert.Equal(next, Enum.Parse<MaskJobState>(state).Next(Enum.Parse<MaskJobEvent>(happened))?.ToString());

    [Theory, OnSqlite, OnPostgres]
    public async Task Nothing_is_burned_until_another_person_confirms(string kind)
    {
        await using var stage = await Stage(kind);
        using var ann = stage.As("ann", "image-masking");

        var (status, job) = await Send(stage.Rita, "POST", Create, Drawn, "key");
        Assert.Equal((202, "awaitingConfirmation", "rita", 2), (status, (string)job!["state"]!, (string)job["createdBySubject"]!, (int)job["total"]!));
        Assert.Equal((string)job["id"]!, (string)(await Send(stage.Rita, "POST", Create, Drawn, "key")).Body!["id"]!);
        var path = $"{Create}/{job["id"]}";
        Assert.Null(await Claim(stage));
        Assert.Equal(["awaitingConfirmation"], Field(await Send(ann, "GET", $"{Create}?study={Study}"), "state"));
        Assert.Equal([(string)job["id"]!], Field(await Send(ann, "GET", $"{Create}/awaiting-confirmation"), "id"));

        var (_, confirmed) = await Send(ann, "POST", $"{path}/confirm", new { reason = "seen" });

        Assert.Equal(("queued", "Ann", "seen"), ((string)confirmed!["state"]!, (string)confirmed["decision"]!["by"]!, (string)confirmed["decision"]!["reason"]!));
        Assert.Empty(Field(await Send(ann, "GET", $"{Create}/awaiting-confirmation"), "id"));
        Assert.Equal((string)job["id"]!, (await Claim(stage))!.Job.Id);
        Assert.Equal("running", (string)(await Send(stage.Rita, "POST", Create, Drawn, "key")).Body!["state"]!);
        Assert.Equal("409 job-decided", Problem(await Send(ann, "POST", $"{path}/confirm", new { })));
        Assert.Equal("409 job-decided", Problem(await Send(ann, "POST", $"{path}/decline", new { reason = "no" })));
        var (by, created) = Assert.Single(await stage.Audit("maskJobCreated"));
        Assert.Equal(("rita", true, "wrong banner"), (by, (bool)created["needsConfirmation"]!, (string)created["reason"]!));
        var (second, details) = Assert.Single(await stage.Audit("maskJobConfirmed"));
        Assert.Equal(("ann", "seen", "rita", "Rita"), (second, (string)details["reason"]!, (string)details["approvedBySubject"]!, (string)details["approvedByName"]!));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_list_of_what_waits_is_oldest_first_and_goes_on_after_fifty_and_after_one_that_was_decided_meanwhile(string kind)
    {
        using var its = await JobStores.Create(kind);
        for (var number = 0; number < 51; number++)
        {
            await its.Add(JobStores.Job() with { Id = $"job-{number:00}", State = MaskJobState.AwaitingConfirmation, CreatedAt = DateTimeOffset.UnixEpoch.AddMinutes(number) });
        }

        await its.Add(JobStores.Job() with { Id = "queued" });
        var first = (await its.Reader.ListAwaiting(null, default))!;
        Assert.Equal((50, "job-00", "job-49"), (first.Jobs.Count, first.Jobs[0].Id, first.Next));
        await its.Store.Cancel("job-49", "ann", "Ann", default);
        var last = (await its.Reader.ListAwaiting(first.Next, default))!;
        Assert.Equal(["job-50"], last.Jobs.Select(j => j.Id));
        Assert.Null(last.Next);
        Assert.Null(await its.Reader.ListAwaiting("none", default));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Whoever_approved_can_neither_confirm_nor_decline_but_cancel(string kind)
    {
        await using var stage = await Stage(kind);
        using var ann = stage.As("ann", "image-masking");
        var path = await Approve(stage);

        foreach (var word in Ids("confirm", "decline"))
        {
            var answer = await Send(stage.Rita, "POST", $"{path}/{word}", new { reason = "mine" });
            Assert.Equal("403 own-approval", Problem(answer));
            Assert.Equal("You approved this masking yourself, so another person must confirm or decline it. You can cancel it.", (string)answer.Body!["detail"]!);
        }

        Assert.Equal(["403", "403"], (await stage.Audit("refused")).Select(r => r.Details["status"]!.ToString()));
        Assert.Equal("cancelled", (string)(await Send(stage.Rita, "POST", $"{path}/cancel")).Body!["state"]!);
        var late = await Send(ann, "POST", $"{path}/confirm", new { });
        Assert.Equal(("409 job-cancelled", "Rita has cancelled this masking. Nothing was changed by this request."), (Problem(late), (string)late.Body!["detail"]!));
        Assert.Null(await Claim(stage));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_declined_job_ends_with_its_reason_and_leaves_its_findings_to_be_decided_anew(string kind)
    {
        await using var stage = await Stage(kind);
        using var ann = stage.As("ann", "image-masking");
        await stage.AddFinding("f1", "i1");
        await stage.Decide(new { findingIds = Ids("f1"), action = "accept" });
        var job = (await Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study }, "key")).Body!;
        Assert.Equal("awaitingConfirmation", (string)job["state"]!);
        Assert.Equal("409 mask-job-running", Problem(await stage.Decide(new { findingIds = Ids("f1"), action = "reopen" })));
        var path = $"{Create}/{job["id"]}";
        foreach (var reason in (string?[])[null, " "])
        {
            var refused = await Send(ann, "POST", $"{path}/decline", new { reason });
            Assert.Equal(("400 reason-missing", "Say why this masking is declined; the person who approved it reads that."), (Problem(refused), (string)refused.Body!["detail"]!));
        }

        Assert.Equal("400 invalid-request", Problem(await Send(ann, "POST", $"{path}/decline", new { reason = new string('a', 501) })));
        Assert.Equal("400 invalid-request", Problem(await Send(ann, "POST", $"{path}/confirm", new { reason = new string('a', 501) })));

        var (_, declined) = await Send(ann, "POST", $"{path}/decline", new { reason = "too wide" });

        Assert.Equal(("declined", "Ann", "too wide", 1), ((string)declined!["state"]!, (string)declined["decision"]!["by"]!, (string)declined["decision"]!["reason"]!, (int)declined["cancelled"]!));
        Assert.NotNull(declined["finishedAt"]);
        Assert.Equal("Ann has declined this masking already. Nothing was changed by this request.", (string)(await Send(ann, "POST", $"{path}/confirm", new { })).Body!["detail"]!);
        Assert.Equal("409 job-finished", Problem(await Send(stage.Rita, "POST", $"{path}/cancel")));
        Assert.Null(await Claim(stage));
        Assert.Equal("ann", Assert.Single(await stage.Audit("maskJobDeclined")).Subject);
        Assert.Equal("declined", (string)Assert.Single(await stage.Audit("maskJobFinished")).Details["state"]!);
        var page = await ann.GetStringAsync($"{path}/certificate.html");
        Assert.Contains("<dt>Declined by</dt><dd>Ann (ann)</dd>", page, StringComparison.Ordinal);
        Assert.Contains("<dt>Reason of the second person</dt><dd>too wide</dd>", page, StringComparison.Ordinal);
        Assert.Equal(202, (await Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study }, "again")).Status);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_confirmation_is_refused_when_the_images_are_others_than_were_approved(string kind)
    {
        await using var stage = await Stage(kind);
        using var ann = stage.As("ann", "image-masking");
        var path = await Approve(stage);

        stage.Archive.Change("i2"); // of the series, and not the one that was drawn on
        var changed = await Send(ann, "POST", $"{path}/confirm", new { });
        Assert.Equal("409 images-changed", Problem(changed));
        Assert.StartsWith("Since this was approved, images of it were added, removed, sent again or masked.", (string)changed.Body!["detail"]!, StringComparison.Ordinal);
        stage.Archive.Images.Remove("i1");
        Assert.Equal("409 source-unknown", Problem(await Send(ann, "POST", $"{path}/confirm", new { })));
        stage.Archive.Images.Clear();
        Assert.Equal("409 study-unknown", Problem(await Send(ann, "POST", $"{path}/confirm", new { })));
        Assert.Null(await Claim(stage));
        Assert.Equal(200, (await Send(ann, "POST", $"{path}/decline", new { reason = "others by now" })).Status);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Findings_that_changed_since_they_were_approved_are_not_confirmed(string kind)
    {
        await using var stage = await Stage(kind);
        using var ann = stage.As("ann", "image-masking");
        await stage.AddFinding("f1", "i1");
        await stage.AddFinding("f2", "i2");
        await stage.Decide(new { findingIds = Ids("f1", "f2"), action = "accept" });
        var path = $"{Create}/{(await Send(stage.Rita, "POST", "/api/scan-findings/apply", new { study = Study }, "key")).Body!["id"]}";

        await stage.Execute("UPDATE scan_findings SET state = 'gone' WHERE id = 'f2'");
        Assert.Equal("409 findings-changed", Problem(await Send(ann, "POST", $"{path}/confirm", new { })));
        await stage.Execute("UPDATE scan_findings SET state = 'accepted' WHERE id = 'f2'");
        stage.Archive.Change("i2");
        Assert.Equal("409 images-changed", Problem(await Send(ann, "POST", $"{path}/confirm", new { })));
        await stage.Scan("i1");
        Assert.Null(await Claim(stage));

        stage.Archive.Images["i2"] = stage.Archive.Images["i2"] with { Md5 = "md5-i2" };
        Assert.Equal("queued", (string)(await Send(ann, "POST", $"{path}/confirm", new { })).Body!["state"]!);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Of_several_who_decide_at_once_one_is_heard(string kind)
    {
        await using var stage = await Stage(kind);
        var path = await Approve(stage);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Send(stage.As($"user{n}", "image-masking"), "POST", $"{path}/{(n % 2 == 0 ? "confirm" : "decline")}", new { reason = "at once" })));

        Assert.Single(answers, a => a.Status == 200);
        Assert.All(answers.Where(a => a.Status != 200), a => Assert.Equal("409 job-decided", Problem(a)));
        Assert.Single([.. await stage.Audit("maskJobConfirmed"), .. await stage.Audit("maskJobDeclined")]);
    }

    [Fact]
    public async Task A_site_gives_confirming_to_a_role_of_its_own()
    {
        await using var stage = await Stage(TestDatabase.Sqlite, ("Permissions:Confirm:0", "second-reader"));
        using var ann = stage.As("ann", "image-masking");
        using var otto = stage.As("otto", "second-reader");
        var path = await Approve(stage);

        Assert.Equal("403 forbidden", Problem(await Send(ann, "POST", $"{path}/confirm", new { })));
        Assert.Equal("403 forbidden", Problem(await Send(ann, "POST", $"{path}/decline", new { reason = "no" })));
        Assert.Equal("403 forbidden", Problem(await Send(otto, "POST", Create, Drawn, "key")));
        Assert.Equal("403 forbidden", Problem(await Send(otto, "POST", $"{path}/cancel")));
        Assert.Equal(200, (await Send(otto, "GET", path)).Status);
        Assert.Single(Field(await Send(otto, "GET", $"{Create}?study={Study}"), "id"));
        Assert.Equal(["confirm"], (await Send(otto, "GET", "/api/me")).Body!["permissions"]!.AsArray().Select(p => (string)p!));
        Assert.Equal(200, (await Send(otto, "POST", $"{path}/confirm", new { })).Status);
    }

    [Fact]
    public async Task Without_the_option_a_job_is_queued_at_once_and_there_is_nothing_to_confirm()
    {
        await using var stage = await Stage(TestDatabase.Sqlite, ("MaskJobs:TwoPersonApproval", "false"));
        using var ann = stage.As("ann", "image-masking");

        var job = (await Send(stage.Rita, "POST", Create, Drawn, "key")).Body!;

        Assert.Equal("queued", (string)job["state"]!);
        Assert.Equal("409 job-not-awaiting", Problem(await Send(ann, "POST", $"{Create}/{job["id"]}/confirm", new { })));
        Assert.Equal("409 job-not-awaiting", Problem(await Send(ann, "POST", $"{Create}/{job["id"]}/decline", new { reason = "no" })));
        Assert.Equal("404 not-found", Problem(await Send(ann, "POST", $"{Create}/none/confirm", new { })));
        Assert.Equal("404 not-found", Problem(await Send(ann, "POST", $"{Create}/none/decline", new { reason = "no" })));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_study_with_a_masking_that_waits_is_not_finalized(string kind)
    {
        await using var stage = await Stage(kind);
        using var ann = stage.As("ann", "image-masking");
        var path = await Approve(stage);
        await stage.Look();

        var early = await Send(stage.Rita, "POST", $"/api/reviews/{Study}/finalize", new { });
        Assert.Equal("409 mask-job-running", Problem(early));
        Assert.Contains("waits for a second person", (string)early.Body!["detail"]!, StringComparison.Ordinal);
        await Send(ann, "POST", $"{path}/decline", new { reason = "no" });
        Assert.Equal(200, (await Send(stage.Rita, "POST", $"/api/reviews/{Study}/finalize", new { })).Status);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_confirmed_job_has_its_turn_from_then_on_and_not_before_others(string kind)
    {
        await using var stage = await Stage(kind);
        using var ann = stage.As("ann", "image-masking");
        var path = await Approve(stage);
        var store = stage.App.Services.GetRequiredService<MaskJobStore>();
        await store.Create(JobStores.Job("1.7", "zoe"), [JobStores.Item(0) with { Frames = 1000 }], "first", "f", default);
        await store.Create(JobStores.Job("1.8", "zoe"), [JobStores.Item(0)], "second", "f", default);
        await Claim(stage);

        await Send(ann, "POST", $"{path}/confirm", new { });

        Assert.Equal("1000", await stage.Text($"SELECT CAST(turn_start AS TEXT) FROM mask_jobs WHERE study_instance_uid = '{Study}'"));
    }

    [Fact]
    public async Task Who_watches_a_job_is_told_at_once_that_it_goes_on_or_ends()
    {
        await using var stage = await Stage(TestDatabase.Sqlite);
        using var ann = stage.As("ann", "image-masking");
        var path = await Approve(stage);
        var services = stage.App.Services;
        // On this clock no pause ever ends.
        var events = new MaskJobEvents(
            services.GetRequiredService<MaskJobReader>(), services.GetRequiredService<MaskJobSignal>(), services.GetRequiredService<IOptions<MaskJobOptions>>(),
            new StoppedClock(), services.GetRequiredService<IHostApplicationLifetime>());
        var pipe = new Pipe();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var context = new DefaultHttpContext();
        context.Response.Body = pipe.Writer.AsStream();
        using var told = new StreamReader(pipe.Reader.AsStream());

        var watching = events.Stream(path.Split('/')[^1], context.Response, stop.Token);
        Assert.Equal("awaitingConfirmation", await NextState());
        await Send(ann, "POST", $"{path}/confirm", new { });

        Assert.NotEqual("awaitingConfirmation", await NextState());
        await stop.CancelAsync();
        Assert.True(await watching);

        async Task<string> NextState()
        {
            while (await told.ReadLineAsync(stop.Token) is { } line)
            {
                if (line.StartsWith("data: ", StringComparison.Ordinal))
                {
                    return (string)JsonNode.Parse(line[6..])!["state"]!;
                }
            }

            return "no more events";
        }
    }

    [Fact]
    public async Task An_image_that_is_deleted_while_a_series_is_listed_is_not_left_out_without_a_word()
    {
        await using var stage = await Stage(TestDatabase.Sqlite);
        stage.App.Orthanc = request => request.RequestUri!.AbsolutePath == "/tools/bulk-content"
            ? SidecarApp.Json("""[{"ID":"i1","FileUuid":"u","Metadata":{}}]""")
            : AnswerAboutImages(stage.Archive, request) ?? stage.Archive.Answer(request);

        var refused = await Send(stage.Rita, "POST", Create, Drawn, "key");

        Assert.Equal(503, refused.Status);
        Assert.Contains("image archive", (string)refused.Body!["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Masks_on_an_object_without_pixels_are_refused()
    {
        await using var stage = await Stage(TestDatabase.Sqlite);
        stage.App.Orthanc = request => request.RequestUri!.AbsolutePath == "/instances/i1/tags"
            ? SidecarApp.Json($$"""{"StudyInstanceUID":"{{Study}}","SeriesInstanceUID":"{{Study}}.1","SOPInstanceUID":"{{Study}}.1.1"}""")
            : AnswerAboutImages(stage.Archive, request) ?? stage.Archive.Answer(request);

        var refused = await Send(stage.Rita, "POST", Create, Drawn, "key");

        Assert.Equal(("400 source-not-an-image", "The masks refer to an object without pixels."), (Problem(refused), (string)refused.Body!["detail"]!));
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override long GetTimestamp() => 0;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Never();

        private sealed class Never : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }

    private static async Task<ReviewStage> Stage(string kind, params (string, string)[] settings)
    {
        var stage = await ReviewStage.Create(kind, settings: [("MaskJobs:TwoPersonApproval", "true"), .. settings]);
        stage.App.Orthanc = request => AnswerAboutImages(stage.Archive, request) ?? stage.Archive.Answer(request);
        await stage.AddImage("i1");
        await stage.AddImage("i2");
        return stage;
    }

    private static async Task<string> Approve(ReviewStage stage) => $"{Create}/{(await Send(stage.Rita, "POST", Create, Drawn, "key")).Body!["id"]}";

    private static Task<JobClaim?> Claim(ReviewStage stage) => stage.App.Services.GetRequiredService<MaskJobQueue>().Claim(alsoBulk: true, default);

    private static IEnumerable<string> Field((int Status, JsonNode? Body) list, string name) => [.. list.Body!["jobs"]!.AsArray().Select(j => (string)j![name]!)];

    // What a plan asks beyond the listings; the uuid of a file is its MD5 here, so that another file is another one.
    private static HttpResponseMessage? AnswerAboutImages(ArchiveStub archive, HttpRequestMessage request)
    {
        return (request.Method.Method, request.RequestUri!.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries)) switch
        {
            ("GET", ["instances", var id]) when archive.Images.TryGetValue(id, out var image) => SidecarApp.Json($$"""{"ID":"{{id}}","FileUuid":"{{image.Md5}}","ParentSeries":"{{image.SeriesId}}"}"""),
            ("GET", ["instances", var id, "tags"]) when archive.Images.TryGetValue(id, out var image) => SidecarApp.Json(Tags(image)),
            ("GET", ["instances", _, "metadata", "TransferSyntax"]) => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("1.2.840.10008.1.2.1") },
            ("GET", ["series", var id]) when Of(id).FirstOrDefault().Value is { } image => SidecarApp.Json($$"""{"ID":"{{id}}","ParentStudy":"{{image.StudyId}}"}"""),
            ("GET", ["series", var id, "instances-tags"]) => SidecarApp.Json($"{{{string.Join(',', Of(id).Select(i => $"\"{i.Key}\":{Tags(i.Value)}"))}}}"),
            ("POST", ["tools", "bulk-content"]) => SidecarApp.Json($"[{string.Join(',', archive.Images.Select(i => $$$"""{"ID":"{{{i.Key}}}","FileUuid":"{{{i.Value.Md5}}}","Metadata":{"TransferSyntax":"1.2.840.10008.1.2.1"}}"""))}]"),
            _ => null,
        };

        IEnumerable<KeyValuePair<string, ArchiveStub.Image>> Of(string series) => archive.Images.Where(i => i.Value.SeriesId == series);

        static string Tags(ArchiveStub.Image image) =>
            $$"""{"StudyInstanceUID":"{{image.Study}}","SeriesInstanceUID":"{{image.Series}}","SOPInstanceUID":"{{image.Sop}}","InstanceNumber":"{{image.Number}}","Rows":"48","Columns":"64","PixelData":null}""";
    }
}
