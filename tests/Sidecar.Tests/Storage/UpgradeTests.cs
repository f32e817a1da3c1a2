using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Npgsql;
using Sidecar.Audit;
using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Xunit;

namespace Sidecar.Tests.Storage;

/// <summary>What version 1 stored is there after the upgrade, whichever version it stayed at on its way.</summary>
public sealed class UpgradeTests
{
    // As version 1 of the schema wrote it: a job that was interrupted after its first image.
    private const string StoredByVersion1 =
        """
        INSERT INTO mask_jobs VALUES ('job', '1.2', 'study', 'running', 'series', '1.9', '1.0', '[{"x":1,"y":2,"width":3,"height":4}]', '[]', 'because',
            '2026-11-01T08:00:00.0000000Z', 'mia', 'Mia Masker', '2026-11-01T08:00:01.0000000Z', NULL);
        INSERT INTO mask_jobs VALUES ('later', '1.2', 'study', 'running', 'image', '1.9', '1.0', '[]', '[]', NULL, '2026-11-01T09:00:00.0000000Z', 'mia', 'Mia Masker', NULL, NULL);
        INSERT INTO mask_job_items VALUES ('job', 0, 'a', '1.9', '1.0', 1, 4, 'masked', NULL, '2026-11-01T08:00:02.0000000Z');
        INSERT INTO mask_job_items VALUES ('job', 1, 'b', '1.9', '1.1', 2, 4, 'waiting', NULL, NULL);
        INSERT INTO mask_job_items VALUES ('later', 0, 'c', '1.9', '1.2', 3, 1, 'failed', 'The archive did not answer.', '2026-11-01T09:00:01.0000000Z');
        INSERT INTO idempotency_keys VALUES ('mia', 'key', 'fingerprint', 'job', '2026-11-01T08:00:00.0000000Z');
        INSERT INTO masked_instances VALUES ('a', '1.0', 'md5', 'uuid', 'job', '2026-11-01T08:00:02.0000000Z');
        INSERT INTO audit_events VALUES (1, '2026-11-01T08:00:00.0000000Z', 'maskJobCreated', 'mia', 'Mia Masker', 'job', '1.2', NULL, '0.1.0', '{}');
        """;

    [Theory, OnSqlite, OnPostgres]
    public async Task Every_earlier_version_is_upgraded_with_all_it_holds(string kind)
    {
        for (var version = 1; version <= Migrations.All.Count; version++)
        {
            using var its = await TestDatabase.Create(kind);
            await using (var old = its.Options.UsesPostgres ? (System.Data.Common.DbConnection)new NpgsqlConnection(its.Options.ConnectionString) : new SqliteConnection($"Data Source={its.Options.DatabaseFile}"))
            {
                await old.OpenAsync();
                await Migrations.Apply(old, TimeProvider.System, default, last: 1);
                await old.ExecuteAsync(StoredByVersion1);
                await Migrations.Apply(old, TimeProvider.System, default, last: version);
            }

            var database = its.Open();
            var store = new MaskJobStore(database, new AuditLog(TimeProvider.System), TimeProvider.System);
            var reader = new MaskJobReader(database, new MaskJobPace(TimeProvider.System));
            using var queue = new MaskJobQueue(database, Options.Create(its.Options), Options.Create(new MaskJobOptions()), TimeProvider.System);

            var claim = (await queue.Claim(alsoBulk: false, default))!;
            Assert.Equal(("job", "mia", "2026-11-01T08:00:01"), (claim.Job.Id, claim.Job.CreatedBySubject, claim.Job.StartedAt!.Value.UtcDateTime.ToString("s", CultureInfo.InvariantCulture)));
            Assert.Null(await queue.Claim(alsoBulk: true, default)); // one job a study
            Assert.Equal(["b"], (await store.ListWaiting("job", default)).Select(i => i.OrthancId));
            Assert.Equal("job", (await store.FindByKey("mia", "key", default))!.JobId);
            Assert.Equal("uuid", await database.Read(c => c.ExecuteScalarAsync<string>("SELECT uuid FROM masked_instances WHERE orthanc_id = 'a'"), default));
            Assert.Equal(1, await database.Read(c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM audit_events"), default));
            var view = (await reader.ReadView("job", default))!;
            Assert.Equal((2, 1, 0, 8L), (view.Total, view.Done, view.Failed, view.Frames));
            await store.RecordFailed(claim, (await store.ListWaiting("job", default))[0], RefusalCause.Damaged, "It cannot be decoded.", default);
            await store.Finish(claim, default);
            var failed = (await reader.ReadView("job", default))!;
            Assert.Equal((MaskJobState.Failed, RefusalCause.Damaged), (failed.State, failed.Failures.Single().Cause));
            var before = (await reader.ReadView("later", default))!.Failures.Single();
            Assert.Equal(("The archive did not answer.", null), (before.Reason, before.Cause));
            Assert.Equal("later", (await queue.Claim(alsoBulk: false, default))!.Job.Id);
        }
    }
}
