using System.Data.Common;
using Dapper;
using Npgsql;

namespace Sidecar.Storage;

/// <summary>The few things that SQLite and PostgreSQL say differently. All other SQL is common to both.</summary>
internal static class Dialect
{
    /// <summary>Milliseconds since 1970 by the database's clock: the same for all nodes, whatever theirs say.</summary>
    public static string NowMilliseconds(this DbConnection connection) =>
        IsPostgres(connection) ? "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)" : "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

    /// <summary>Ends a SELECT whose row is about to be taken: rows that another node is taking now are passed over.</summary>
    public static string SkipLocked(this DbConnection connection) => IsPostgres(connection) ? "FOR UPDATE SKIP LOCKED" : "";

    /// <summary>Ends a SELECT whose row must stay as it is until the transaction ends.</summary>
    public static string KeepAsIs(this DbConnection connection) => IsPostgres(connection) ? "FOR KEY SHARE" : "";

    /// <summary>A condition: the column has one of the values of a parameter that is an array. An empty array matches nothing.</summary>
    public static string IsOneOf(this DbConnection connection, string column, string parameter) =>
        IsPostgres(connection) ? $"{column} = ANY({parameter})" : $"{column} IN {parameter}";

    /// <summary>Two transactions wanted what only one can have; what was asked may be asked again.</summary>
    public static bool IsConflict(this DbException e) => e.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure;

    /// <summary>
    /// Holds others off who ask for the same name, in any process, until the transaction ends. In SQLite a transaction that writes has the
    /// whole database to itself already.
    /// </summary>
    public static Task Lock(this DbTransaction transaction, string name) =>
        IsPostgres(transaction.Connection!)
            ? transaction.Connection!.ExecuteAsync("SELECT pg_advisory_xact_lock(hashtextextended(@name, 0))", new { name }, transaction)
            : Task.CompletedTask;

    private static bool IsPostgres(DbConnection connection) => connection is NpgsqlConnection;
}
