using System.Data.Common;
using Dapper;
using Npgsql;

namespace Sidecar.Storage;

/// <summary>The few things that SQLite and PostgreSQL say differently. All other SQL is common to both.</summary>
internal static class Dialect
{
    /// <summary>
    /// Holds others off who ask for the same name, in any process, until the transaction ends. In SQLite a transaction that writes has the
    /// whole database to itself already.
    /// </summary>
    public static Task Lock(this DbTransaction transaction, string name) =>
        transaction.Connection is NpgsqlConnection
            ? transaction.Connection.ExecuteAsync("SELECT pg_advisory_xact_lock(hashtextextended(@name, 0))", new { name }, transaction)
            : Task.CompletedTask;
}
