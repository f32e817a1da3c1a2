using System.Reflection;
using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Storage;
using Xunit.Sdk;

namespace Sidecar.Tests.Storage;

/// <summary>Runs a theory whose one parameter is the database on SQLite.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnSqliteAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[TestDatabase.Sqlite]];
}

/// <summary>Runs it on PostgreSQL too, or says why not.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnPostgresAttribute : DataAttribute
{
    public OnPostgresAttribute() => Skip = PostgresCluster.Missing;

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[TestDatabase.Postgres]];
}

/// <summary>An empty database of either kind with the service's own way to it; gone with the test.</summary>
internal sealed class TestDatabase : IDisposable
{
    public const string Sqlite = "SQLite";
    public const string Postgres = "PostgreSQL";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-store-");
    private readonly List<Database> _opened = [];

    private TestDatabase(string connectionString)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        Options = new StorageOptions { Directory = _folder.FullName, ConnectionString = connectionString };
    }

    public StorageOptions Options { get; }

    public static async Task<TestDatabase> Create(string kind) => new(kind == Postgres ? await PostgresCluster.CreateDatabase() : "");

    /// <summary>A way of its own into the same database, as another process would have.</summary>
    public Database Open(TimeProvider? time = null)
    {
        var database = new Database(Microsoft.Extensions.Options.Options.Create(Options), time ?? TimeProvider.System);
        _opened.Add(database);
        return database;
    }

    public void Dispose()
    {
        _opened.ForEach(d => d.Dispose());
        _folder.Delete(recursive: true);
    }
}
