using System.Data.Common;
using System.Globalization;
using System.Reflection;
using Dapper;

namespace Sidecar.Storage;

/// <summary>Brings the schema to the version of this program: numbered SQL files, each applied once and in order.</summary>
internal static class Migrations
{
    private const string Folder = "Sidecar.Storage.Migrations.";

    /// <summary>The numbered files, lowest first: number, name, SQL.</summary>
    public static IReadOnlyList<(int Number, string Name, string Sql)> All { get; } =
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .Select(name => (int.Parse(name.AsSpan(Folder.Length, 4), CultureInfo.InvariantCulture), name[Folder.Length..], ReadText(name)))
            .OrderBy(m => m.Item1),
    ];

    /// <summary>All missing steps in one transaction; several sidecars that start at once do it one after the other.</summary>
    /// <param name="last">Tests stop earlier, to have a database of that version.</param>
    /// <exception cref="InvalidOperationException">The database was written by a newer version of this program.</exception>
    public static async Task Apply(DbConnection connection, TimeProvider time, CancellationToken token, int last = int.MaxValue)
    {
        await using var transaction = await connection.BeginTransactionAsync(token);
        await transaction.Lock("migrations");
        await connection.ExecuteAsync("CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)", transaction: transaction);
        var reached = await connection.ExecuteScalarAsync<long>("SELECT COALESCE(MAX(number), 0) FROM schema_migrations", transaction: transaction);
        if (reached > All[^1].Number)
        {
            throw new InvalidOperationException($"The database has schema version {reached}, this program knows {All[^1].Number}. Start the newer version, or restore the backup made before it.");
        }

        foreach (var (number, name, sql) in All.Where(m => m.Number > reached && m.Number <= last))
        {
            await connection.ExecuteAsync(sql, transaction: transaction);
            await connection.ExecuteAsync(
                "INSERT INTO schema_migrations (number, name, applied_at) VALUES (@number, @name, @at)",
                new { number, name, at = Instant.ToText(time.GetUtcNow()) },
                transaction);
        }

        await transaction.CommitAsync(token);
    }

    private static string ReadText(string resource)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }
}
