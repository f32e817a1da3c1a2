using System.Runtime.Versioning;
using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.Storage;
using Xunit;

namespace Sidecar.Tests.Storage;

[SupportedOSPlatform("linux")]
public sealed class DatabaseTests
{
    [Theory, OnSqlite, OnPostgres]
    public async Task Nothing_of_a_transaction_that_fails_is_stored(string kind)
    {
        using var its = await TestDatabase.Create(kind);
        var database = its.Open();
        await Assert.ThrowsAsync<InvalidOperationException>(() => database.Write<int>(
            async t =>
            {
                await Append(t);
                throw new InvalidOperationException();
            },
            default));
        Assert.Equal(0, await database.Read(c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM audit_events"), default));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_audit_has_no_gap_when_many_write_at_once(string kind)
    {
        using var its = await TestDatabase.Create(kind);
        Database[] nodes = [its.Open(), its.Open()];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 40),
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (number, token) => await nodes[number % 2].Write(async t => { await Append(t); return 0; }, token));

        Assert.Equal(
            Enumerable.Range(1, 40).Select(n => (long)n),
            await nodes[0].Read(c => c.QueryAsync<long>("SELECT sequence FROM audit_events ORDER BY sequence"), default));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_database_of_a_newer_version_is_not_touched(string kind)
    {
        using var its = await TestDatabase.Create(kind);
        await its.Open().Write(t => t.Connection!.ExecuteAsync("INSERT INTO schema_migrations (number, name, applied_at) VALUES (9999, 'later', '')", transaction: t), default);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => its.Open().Read(c => c.ExecuteScalarAsync<int>("SELECT 1"), default));
        Assert.Contains("Start the newer version", refused.Message, StringComparison.Ordinal);
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task Several_nodes_that_start_at_once_make_the_schema_once(string kind)
    {
        using var its = await TestDatabase.Create(kind);
        var counts = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => its.Open().Read(c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM schema_migrations"), default)));

        Assert.All(counts, count => Assert.Equal(Migrations.All.Count, count));
    }

    [Fact]
    public void Migrations_are_numbered_without_gap_or_double() =>
        Assert.Equal(Enumerable.Range(1, Migrations.All.Count), Migrations.All.Select(m => m.Number));

    [Fact]
    public async Task State_is_readable_by_the_service_alone()
    {
        using var its = await TestDatabase.Create(TestDatabase.Sqlite);
        await its.Open().Read(c => c.ExecuteScalarAsync<int>("SELECT 1"), default);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(its.Options.Directory));
    }

    [Theory, OnPostgres]
    public async Task A_server_that_may_forget_commits_is_refused(string kind)
    {
        using var its = await TestDatabase.Create(kind);
        await its.Open().Write(t => t.Connection!.ExecuteAsync("ALTER ROLE CURRENT_USER IN DATABASE " + t.Connection!.Database + " SET synchronous_commit = off", transaction: t), default);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => its.Open().Read(c => c.ExecuteScalarAsync<int>("SELECT 1"), default));
        Assert.Contains("Set synchronous_commit = on", refused.Message, StringComparison.Ordinal);
    }

    [Theory, OnPostgres]
    public async Task A_node_with_another_journal_folder_is_refused_until_somebody_says_that_the_journal_is_lost(string kind)
    {
        using var its = await TestDatabase.Create(kind);
        await Ask(its.Open());
        await Ask(its.Open());
        using var elsewhere = await TestDatabase.Create(TestDatabase.Sqlite);
        var stranger = Options.Create(its.Options with { Directory = elsewhere.Options.Directory });

        using (var node = new Database(stranger, TimeProvider.System))
        {
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Ask(node));
            Assert.Contains("is not the journal of this database", refused.Message, StringComparison.Ordinal);
            Assert.Contains("All sidecars of one database need the same Storage:Directory, on storage they share. Only if the journal is lost for good, write ", refused.Message, StringComparison.Ordinal);
        }

        File.Copy(Path.Combine(its.Options.JournalDirectory, "identity"), Path.Combine(stranger.Value.JournalDirectory, "identity"));
        using var adopted = new Database(stranger, TimeProvider.System);
        await Ask(adopted);

        static Task<int> Ask(Database node) => node.Read(c => c.ExecuteScalarAsync<int>("SELECT 1"), default);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("Host=db;Database=sidecar;Username=u;Password=hunter2", null)]
    [InlineData("Host=db;Password=hunter2", "must name Host and Database")]
    [InlineData("Hots=db;Database=sidecar;Password=hunter2", "cannot be read")]
    [InlineData("postgres://u:hunter2@db/sidecar", "cannot be read")]
    public void A_wrong_connection_string_is_refused_without_repeating_it(string connectionString, string? fault)
    {
        var result = new StorageOptionsRules().Validate(null, new StorageOptions { Directory = "/x", ConnectionString = connectionString });

        Assert.Equal(fault is null, result.Succeeded);
        Assert.Contains(fault ?? "", result.FailureMessage ?? "", StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", result.FailureMessage ?? "", StringComparison.Ordinal);
    }

    private static Task Append(System.Data.Common.DbTransaction transaction) =>
        new AuditLog(TimeProvider.System).Append(transaction, new AuditEvent("x", "s", "n"));
}
