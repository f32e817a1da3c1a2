using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Sidecar.Tests.Commands;

/// <summary>A folder of its own for each test, in which the executable is called.</summary>
public abstract class CommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose()
    {
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected string In(string path) => Path.Combine(folder, path);

    protected void Put(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(In(path))!);
        File.WriteAllBytes(In(path), content);
    }

    protected IEnumerable<string> FilesIn(string path) =>
        Directory.EnumerateFiles(In(path), "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file)).Order();

    protected CommandRun Run(params string[] arguments) => Run(new Dictionary<string, string>(), arguments);

    /// <param name="settings">Added to the environment.</param>
    /// <param name="arguments">Of the command line.</param>
    protected CommandRun Run(IReadOnlyDictionary<string, string> settings, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "sidecar.dll"), .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }
        using var child = Process.Start(start)!;
        var (output, errors) = (child.StandardOutput.ReadToEndAsync(), child.StandardError.ReadToEndAsync());
        Assert.True(child.WaitForExit(TimeSpan.FromSeconds(60)), "sidecar took longer than 60 s.");
        return new CommandRun(child.ExitCode, output.GetAwaiter().GetResult(), errors.GetAwaiter().GetResult());
    }

    protected sealed record CommandRun(int Status, string Output, string Errors)
    {
        public IReadOnlyList<JsonElement> Lines => [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }
}
