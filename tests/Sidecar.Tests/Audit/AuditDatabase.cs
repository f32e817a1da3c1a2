using System.Text.Json.Nodes;
using Dapper;
using Sidecar.Audit;
using Sidecar.Storage;
using Sidecar.Tests.Storage;

namespace Sidecar.Tests.Audit;

/// <summary>A database of its own with an audit in it, and ways to do to it what an attacker would.</summary>
internal sealed class AuditDatabase(TestDatabase database) : IDisposable
{
    public Database Database { get; private set; } = database.Open();

    public string Folder => database.Options.Directory;

    public string File => database.Options.DatabaseFile;

    public AuditLog Log { get; } = new(TimeProvider.System);

    public static async Task<AuditDatabase> Create(string kind = TestDatabase.Sqlite) => new(await TestDatabase.Create(kind));

    /// <summary>Another way in, as another process has.</summary>
    public Database OpenAgain() => database.Open();

    public Task<AuditVerdict> Verify(params Checkpoint[] checkpoints) => new AuditVerification(Database).Verify(checkpoints, default);

    public Task Append(string action) =>
        Log.AppendAlone(Database, new AuditEvent(action, "mia", "Mia Maskér 雪") { StudyInstanceUid = "1.2", Details = new() { ["note"] = "a,b:c" } }, default);

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
        string[] unlock = database.Options.UsesPostgres
            ? ["ALTER TABLE audit_events DISABLE TRIGGER ALL", "ALTER TABLE audit_head DISABLE TRIGGER ALL"]
            : [.. ((string[])["events_update", "events_delete", "events_insert", "head_delete", "head_update"]).Select(trigger => $"DROP TRIGGER IF EXISTS audit_{trigger}")];
        await Execute(string.Join("; ", unlock));
        await Execute(sql);
    }

    public void Dispose() => database.Dispose();
}
