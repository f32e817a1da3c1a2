using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace Sidecar.Storage;

/// <summary>
/// The service's own database: SQLite with a write-ahead log, one writer at a time, every commit on disk before the call returns.
/// </summary>
internal sealed class Database(IOptions<StorageOptions> options, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _writer = new(1);
    private readonly SemaphoreSlim _opening = new(1);
    private volatile bool _open;

    /// <summary>Runs <paramref name="work"/> in one transaction: all of it is stored, or nothing.</summary>
    public async Task<T> Write<T>(Func<DbTransaction, Task<T>> work, CancellationToken token)
    {
        await EnsureOpen(token);
        await _writer.WaitAsync(token);
        try
        {
            await using var connection = await Connect(token);
            await using var transaction = await connection.BeginTransactionAsync(token);
            var result = await work(transaction);
            await transaction.CommitAsync(token);
            return result;
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>Runs a query on a snapshot; waits for no writer.</summary>
    public async Task<T> Read<T>(Func<DbConnection, Task<T>> query, CancellationToken token)
    {
        await EnsureOpen(token);
        await using var connection = await Connect(token);
        return await query(connection);
    }

    private async Task EnsureOpen(CancellationToken token)
    {
        if (_open)
        {
            return;
        }

        await _opening.WaitAsync(token);
        try
        {
            if (!_open)
            {
                PrivateFiles.CreateFolder(options.Value.Directory);
                await using var connection = await Connect(token);
                await connection.ExecuteAsync("PRAGMA journal_mode = WAL");
                await Migrations.Apply(connection, time, token);
                _open = true;
            }
        }
        finally
        {
            _opening.Release();
        }
    }

    private async Task<SqliteConnection> Connect(CancellationToken token)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = options.Value.DatabaseFile, ForeignKeys = true }.ToString());
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

    public void Dispose()
    {
        _writer.Dispose();
        _opening.Dispose();
        using var pooled = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = options.Value.DatabaseFile, ForeignKeys = true }.ToString());
        SqliteConnection.ClearPool(pooled);
    }
}
