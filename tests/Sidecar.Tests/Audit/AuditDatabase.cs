using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Sidecar.Audit;
using Sidecar.Storage;

namespace Sidecar.Tests.Audit;

/// <summary>A database of its own with an audit in it, and ways to do to it what an attacker would.</summary>
internal sealed class AuditDatabase : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-audit-");

    public AuditDatabase()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        Open();
    }

    public string Folder => _folder.FullName;

    public string File => Path.Combine(Folder, "sidecar.db");

    public Database Database { get; private set; } = null!;

    public AuditLog Log { get; } = new(TimeProvider.System);

    public Task<AuditVerdict> Verify(params Checkpoint[] checkpoints) => new AuditVerification(Database).Verify(checkpoints, default);

    public Task Append(string action) => Database.Write(
        async t =>
        {
            await Log.Append(t, new AuditEvent(action, "mia", "Mia Maskér 雪") { StudyInstanceUid = "1.2", Details = new() { ["note"] = "a,b:c" } });
            return 0;
        },
        default);

    public async Task AppendMany(int rows)
    {
        for (var i = 1; i <= rows; i++)
        {
            await Append($"action{i}");
        }
    }

    public Task<IReadOnlyList<AuditRow>> Rows() => Database.Read<IReadOnlyList<AuditRow>>(
        async c => [.. await c.QueryAsync<AuditRow>($"SELECT {AuditRow.Columns} FROM audit_events ORDER BY sequence")], default);

    /// <summary>Runs SQL as the service itself would.</summary>
    public Task Execute(string sql) => Database.Write(t => t.Connection!.ExecuteAsync(sql, transaction: t), default);

    /// <summary>Runs SQL as somebody who owns the database and has removed what protects it.</summary>
    public async Task Tamper(string sql)
    {
        foreach (var trigger in (string[])["audit_events_update", "audit_events_delete", "audit_events_insert", "audit_head_delete", "audit_head_update"])
        {
            await Execute($"DROP TRIGGER IF EXISTS {trigger}");
        }

        await Execute(sql);
    }

    /// <summary>A database as version 0.1 with schema 1 left it.</summary>
    public async Task MakeOfSchema1(int rows)
    {
        Database.Dispose();
        System.IO.File.Delete(File);
        await using (var connection = new SqliteConnection($"Data Source={File};Pooling=False"))
        {
            await connection.OpenAsync();
            await connection.ExecuteAsync("CREATE TABLE schema_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)");
            await connection.ExecuteAsync(Migrations.All[0].Sql);
            await connection.ExecuteAsync("INSERT INTO schema_migrations VALUES (1, 'one', 'then')");
            for (var i = 1; i <= rows; i++)
            {
                await connection.ExecuteAsync(
                    "INSERT INTO audit_events (sequence, at, action, subject, name, software_version, details) VALUES (@i, 'then', 'old', 'mia', 'Mia', '0.1.0', '{}')", new { i });
            }
        }

        Open();
    }

    public void Dispose()
    {
        Database.Dispose();
        _folder.Delete(recursive: true);
    }

    private void Open() => Database = new Database(Options.Create(new StorageOptions { Directory = Folder }), TimeProvider.System);
}
