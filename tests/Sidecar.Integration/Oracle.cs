using System.Diagnostics;
using System.Text.Json;

namespace Sidecar.Integration;

/// <summary>pydicom's verdict on a masked file, from a child process: our own decoder does not judge itself.</summary>
internal static class Oracle
{
    /// <summary>Fails the test unless the regions are black in every frame, nothing else of the pixels changed, and only the attributes that may.</summary>
    public static async Task AssertMasked(byte[] original, byte[] masked, params (int X, int Y, int Width, int Height)[] regions)
    {
        var folder = Directory.CreateTempSubdirectory("sidecar-oracle-");
        try
        {
            var (before, after) = (Path.Combine(folder.FullName, "before.dcm"), Path.Combine(folder.FullName, "after.dcm"));
            await File.WriteAllBytesAsync(before, original);
            await File.WriteAllBytesAsync(after, masked);
            var start = new ProcessStartInfo("/usr/bin/python3", [Script(), before, after, .. regions.SelectMany(r => new[] { "--region", $"{r.X},{r.Y},{r.Width},{r.Height}" })])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var process = Process.Start(start)!;
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            try
            {
                await process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                throw;
            }

            Assert.True(process.ExitCode == 0, $"{await output}\n{await errors}");
            Assert.Equal(0, JsonDocument.Parse(await output).RootElement.GetProperty("problems").GetArrayLength());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Script()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var script = Path.Combine(folder.FullName, "tests", "oracle", "compare.py");
            if (File.Exists(script))
            {
                return script;
            }
        }

        throw new FileNotFoundException("tests/oracle/compare.py is not above the test's folder.");
    }
}
