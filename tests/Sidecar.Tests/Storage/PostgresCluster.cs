using System.Diagnostics;
using Npgsql;

namespace Sidecar.Tests.Storage;

/// <summary>
/// A real PostgreSQL server from Debian, made afresh in a temporary folder, reachable only by a socket in it, and gone with the test process
/// however that ends. PostgreSQL refuses to run as root, so under root it runs as Debian's user postgres.
/// </summary>
internal sealed class PostgresCluster : IAsyncDisposable
{
    // The shell outlives a killed test process by the moment it takes to read the end of its input.
    private const string Script =
        """
        set -e
        folder=$(mktemp -d "${TMPDIR:-/tmp}/sidecar-postgres-XXXXXX")
        trap 'rm -rf "$folder"' EXIT
        "$1/initdb" -D "$folder/data" -U sidecar -A trust -E UTF8 --locale=C --no-sync >"$folder/log" 2>&1
        run() {
            "$1/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c max_connections=200 >>"$folder/log" 2>&1 </dev/null &
            server=$!
        }
        run "$1"
        until "$1/pg_isready" -q -h "$folder"; do kill -0 "$server"; sleep 0.1; done
        echo "$folder"
        while read -r order; do
            kill -KILL "$server"
            wait "$server" || true
            # Its children need a moment to see that it is gone; until then a new one refuses to start.
            until "$1/pg_isready" -q -h "$folder"; do kill -0 "$server" 2>/dev/null || run "$1"; sleep 0.2; done
            echo restarted
        done
        kill -INT "$server"
        wait "$server" || true
        """;

    private static readonly string? Programs =
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.EnumerateDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")).LastOrDefault(d => File.Exists(Path.Combine(d, "initdb")))
            : null;

    private static readonly Lazy<Task<PostgresCluster>> Common = new(Start);
    private readonly Process _shell;
    private readonly string _folder;

    private PostgresCluster(Process shell, string folder)
    {
        _shell = shell;
        _folder = folder;
    }

    /// <summary>Why tests on PostgreSQL cannot run here; null where they can.</summary>
    public static string? Missing => Programs is null ? "PostgreSQL is not installed: apt-get install postgresql-15" : null;

    /// <summary>A new, empty database on the server that all tests of this process share. The connection string of its owner.</summary>
    public static async Task<string> CreateDatabase() => await (await Common.Value).Create();

    /// <summary>A server of one test's own.</summary>
    public static async Task<PostgresCluster> Start()
    {
        string[] shell = ["sh", "-c", Script, "sh", Programs ?? throw new InvalidOperationException(Missing)];
        string[] command = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", .. shell] : shell;
        var process = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = "/",
        })!;
        var folder = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("PostgreSQL does not start.");
        return new PostgresCluster(process, folder);
    }

    public async Task<string> Create()
    {
        var name = "test_" + Guid.NewGuid().ToString("n");
        await using var connection = new NpgsqlConnection(Owner("postgres") + ";Pooling=false");
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await create.ExecuteNonQueryAsync();
        return Owner(name);
    }

    /// <summary>SIGKILL, and a new start.</summary>
    public async Task KillAndRestart()
    {
        await _shell.StandardInput.WriteLineAsync("restart");
        await _shell.StandardInput.FlushAsync();
        if (await _shell.StandardOutput.ReadLineAsync() != "restarted")
        {
            throw new InvalidOperationException("PostgreSQL does not start again.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _shell.StandardInput.Close();
        await _shell.WaitForExitAsync();
        _shell.Dispose();
    }

    private string Owner(string database) => $"Host={_folder};Username=sidecar;Database={database}";
}
