using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Tests.Scans;
using Sidecar.Tests.Storage;
using Xunit;

namespace Sidecar.Tests.MaskJobs;

public sealed class ResentOriginalsTests
{
    [Theory, OnSqlite, OnPostgres]
    public async Task An_original_sent_again_is_masked_with_all_regions_ever_approved_for_it_and_once(string kind)
    {
        using var its = await Node.Create(kind);
        await its.Mask("study-1-1", (1, 2, 3, 4));
        await its.Mask("study-1-1", (10, 20, 30, 40));
        Assert.True(await its.Look());
        Assert.Empty(await its.Waiting()); // what is there is what was stored

        its.Archive.Store("study", "1", "1", "the original");
        Assert.True(await its.Look());
        Assert.False(await its.Look()); // while the job waits nothing is judged
        Assert.Equal(["""study-1-1 service [{"x":1,"y":2,"width":3,"height":4},{"x":10,"y":20,"width":30,"height":40}]"""], await its.Waiting());
        Assert.Equal(["originalsResent"], (await its.Actions()).Where(a => a == "originalsResent"));
        Assert.Equal(1, (await its.Actions()).Count(a => a == "maskJobCreated") - 2);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Our_own_file_sent_again_and_images_never_masked_are_left_alone(string kind)
    {
        using var its = await Node.Create(kind);
        await its.Mask("study-1-1", (1, 2, 3, 4));
        its.Archive.Store("study", "1", "1", Node.ContentOf("study-1-1"));
        its.Archive.Store("study", "1", "2", "never masked");

        Assert.True(await its.Look());
        Assert.Empty(await its.Waiting());
        Assert.DoesNotContain("originalsResent", await its.Actions());
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task While_a_job_works_on_the_study_nothing_is_judged(string kind)
    {
        using var its = await Node.Create(kind);
        await its.Mask("study-1-1", (1, 2, 3, 4));
        await its.Jobs.Add(JobStores.Job(study: Node.StudyUid)); // about to store another file
        its.Archive.Store("study", "1", "1", "masked once more, and not recorded yet");

        Assert.False(await its.Look());
        Assert.DoesNotContain("originalsResent", await its.Actions());
    }

    [Theory]
    [InlineData("flag", 1)]
    [InlineData("ignore", 0)]
    public async Task By_policy_it_is_only_told_or_not_even_that(string policy, int told)
    {
        using var its = await Node.Create(TestDatabase.Sqlite);
        its.Policy = Enum.Parse<ResentOriginalsPolicy>(policy, ignoreCase: true);
        await its.Mask("study-1-1", (1, 2, 3, 4));
        its.Archive.Store("study", "1", "1", "the original");

        Assert.True(await its.Look());
        Assert.True(await its.Look());
        Assert.Empty(await its.Waiting());
        Assert.Equal(told, (await its.Actions()).Count(a => a == "originalsResent"));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_job_that_masks_again_does_not_trigger_another(string kind)
    {
        using var its = await Node.Create(kind);
        await its.Mask("study-1-1", (1, 2, 3, 4));
        its.Archive.Store("study", "1", "1", "the original");
        await its.Look();
        await its.FinishWaitingJob("study-1-1", "masked again");

        Assert.True(await its.Look());
        Assert.Empty(await its.Waiting());
        Assert.Equal(1, (await its.Actions()).Count(a => a == "originalsResent"));

        // Sent a second time: another file, another job.
        its.Archive.Store("study", "1", "1", "the original");
        Assert.True(await its.Look());
        Assert.Single(await its.Waiting());
    }

    private sealed class Node(JobStores jobs) : IDisposable
    {
        public FakeArchive Archive { get; } = new();

        public JobStores Jobs => jobs;

        public ResentOriginalsPolicy Policy { get; set; }

        /// <summary>As the archive makes it of "study".</summary>
        public const string StudyUid = "1.2.56701";

        public static async Task<Node> Create(string kind) => new(await JobStores.Create(kind));

        public static string ContentOf(string instance) => "masked " + instance;

        /// <summary>A job that burned one region and stored its file.</summary>
        public async Task Mask(string instance, (int X, int Y, int Width, int Height) region)
        {
            var job = JobStores.Job(study: StudyUid) with { Regions = [new Region(region.X, region.Y, region.Width, region.Height)] };
            await jobs.Store.Create(job, [JobStores.Item(0) with { OrthancId = instance }], Guid.NewGuid().ToString(), "fingerprint", default);
            await FinishWaitingJob(instance, ContentOf(instance));
        }

        public async Task FinishWaitingJob(string instance, string content)
        {
            Archive.Store("study", "1", instance.Split('-')[2], content);
            var claim = (await jobs.Queue.Claim(true, default))!;
            var replaced = JobStores.Replaced(instance);
            await jobs.Store.RecordMasked(claim, [new(replaced.Record with { MaskedMd5 = Archive.Md5Of(instance) }, Archive.UuidOf(instance))], default);
            await jobs.Store.Finish(claim, default);
        }

        public async Task<bool> Look()
        {
            // What was approved once needs no second person again: these jobs are queued at once.
            var watcher = new ResentOriginals(jobs.Database, Archive.Client, jobs.Store, new MaskJobSignal(), new AuditLog(TimeProvider.System), Options.Create(new MaskJobOptions { ResentOriginals = Policy, TwoPersonApproval = true }), TimeProvider.System, NullLogger<ResentOriginals>.Instance);
            var contents = await new StudyReader(Archive.Client).ReadContents(await Archive.Client.ReadResource(OrthancLevel.Studies, new OrthancId("study"), default), default);
            Assert.Equal(StudyUid, contents.StudyInstanceUid);
            return await watcher.Look(contents, isBacklog: false, default);
        }

        public Task<IReadOnlyList<string>> Actions() => jobs.Actions();

        public Task<IReadOnlyList<string>> Waiting() => jobs.Database.Read<IReadOnlyList<string>>(
            async c => [.. await c.QueryAsync<string>("SELECT i.orthanc_id || ' ' || j.created_by_subject || ' ' || COALESCE(i.masks, '') FROM mask_job_items i JOIN mask_jobs j ON j.id = i.job_id WHERE i.state = 'waiting'")],
            default);

        public void Dispose()
        {
            Archive.Dispose();
            jobs.Dispose();
        }
    }
}
