using System.Data.Common;
using Microsoft.Extensions.Options;

namespace Sidecar.Storage;

/// <summary>
/// The service's own database: a SQLite file, or PostgreSQL where <see cref="StorageOptions.ConnectionString"/> names one. Every commit is on
/// disk before the call returns.
/// </summary>
internal sealed class Database(IOptions<StorageOptions> options, TimeProvider time) : IDisposable
{
    private readonly IDatabaseEngine _engine = options.Value.UsesPostgres ? new PostgresEngine(options.Value) : new SqliteEngine(options.Value);
    private readonly SemaphoreSlim _writer = new(1);
    private readonly SemaphoreSlim _opening = new(1);
    private volatile bool _open;

    /// <summary>For a person: where the state is. No password.</summary>
    public string Place => _engine.Place;

    /// <summary>
    /// Runs <paramref name="work"/> in one transaction: all of it is stored, or nothing. On PostgreSQL others may write meanwhile
    /// (read committed): what must not interleave takes a <see cref="Dialect.Lock"/>.
    /// </summary>
    public async Task<T> Write<T>(Func<DbTransaction, Task<T>> work, CancellationToken token)
    {
        await EnsureOpen(token);
        if (!_engine.HasOneWriter)
        {
            return await InTransaction(work, token);
        }

        await _writer.WaitAsync(token);
        try
        {
            return await InTransaction(work, token);
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>Runs queries; waits for no writer.</summary>
    public async Task<T> Read<T>(Func<DbConnection, Task<T>> query, CancellationToken token)
    {
        await EnsureOpen(token);
        await using var connection = await _engine.Connect(token);
        return await query(connection);
    }

    private async Task<T> InTransaction<T>(Func<DbTransaction, Task<T>> work, CancellationToken token)
    {
        await using var connection = await _engine.Connect(token);
        await using var transaction = await connection.BeginTransactionAsync(token);
        var result = await work(transaction);
        await transaction.CommitAsync(token);
        return result;
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
                await using var connection = await _engine.Connect(token);
                await _engine.Prepare(connection);
                await Migrations.Apply(connection, time, token);
                if (options.Value.UsesPostgres)
                {
                    await JournalIdentity.Check(connection, options.Value.JournalDirectory, token);
                }

                _open = true;
            }
        }
        finally
        {
            _opening.Release();
        }
    }

    public void Dispose()
    {
        _writer.Dispose();
        _opening.Dispose();
        _engine.Dispose();
    }
}
