using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Sidecar.Storage;

/// <summary>How to reach one of the two databases. What their SQL says differently is in <see cref="Dialect"/>.</summary>
internal interface IDatabaseEngine : IDisposable
{
    /// <summary>For a person: where the state is. No password.</summary>
    string Place { get; }

    /// <summary>SQLite takes one writer at a time, and the queue for it is better kept here than in the file.</summary>
    bool HasOneWriter { get; }

    /// <summary>An open connection that keeps what it commits, even through a power cut.</summary>
    Task<DbConnection> Connect(CancellationToken token);

    /// <summary>Once, before the first use.</summary>
    /// <exception cref="InvalidOperationException">The server would lose commits; the message says which setting to change.</exception>
    Task Prepare(DbConnection connection);
}

/// <summary>A file with a write-ahead log, for one sidecar.</summary>
internal sealed class SqliteEngine(StorageOptions options) : IDatabaseEngine
{
    private readonly string _connectionString = new SqliteConnectionStringBuilder { DataSource = options.DatabaseFile, ForeignKeys = true }.ToString();

    public string Place => options.Directory;

    public bool HasOneWriter => true;

    public async Task<DbConnection> Connect(CancellationToken token)
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            await connection.OpenAsync(token);
            await connection.ExecuteAsync("PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000");
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public Task Prepare(DbConnection connection) => connection.ExecuteAsync("PRAGMA journal_mode = WAL");

    public void Dispose()
    {
        using var pooled = new SqliteConnection(_connectionString);
        SqliteConnection.ClearPool(pooled);
    }
}

/// <summary>A server, for one sidecar or several that share the work.</summary>
internal sealed class PostgresEngine : IDatabaseEngine
{
    private readonly NpgsqlDataSource _source;

    public PostgresEngine(StorageOptions options)
    {
        var parts = new NpgsqlConnectionStringBuilder(options.ConnectionString) { ApplicationName = "sidecar", IncludeErrorDetail = false };
        Place = $"PostgreSQL at {parts.Host}:{parts.Port}, database {parts.Database}";
        _source = new NpgsqlDataSourceBuilder(parts.ToString()).Build();
    }

    public string Place { get; }

    public bool HasOneWriter => false;

    public async Task<DbConnection> Connect(CancellationToken token) => await _source.OpenConnectionAsync(token);

    public async Task Prepare(DbConnection connection)
    {
        foreach (var setting in (string[])["fsync", "synchronous_commit"])
        {
            if (await connection.ExecuteScalarAsync<string>($"SHOW {setting}") == "off")
            {
                throw new InvalidOperationException($"{Place} runs with {setting} = off, so a power cut could undo what was recorded of images that are already replaced. Set {setting} = on.");
            }
        }
    }

    public void Dispose() => _source.Dispose();
}
