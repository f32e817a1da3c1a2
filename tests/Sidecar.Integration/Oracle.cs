using System.Diagnostics;
using System.Text.Json;

namespace Sidecar.Integration;

/// <summary>pydicom's verdict on a masked file, from a child process: our own decoder does not judge itself.</summary>
internal static class Oracle
{
    /// <summary>Fails the test unless the regions are black in every frame, nothing else of the pixels changed, and only the attributes that may.</summary>
    public static Task AssertMasked(byte[] original, byte[] masked, params (int X, int Y, int Width, int Height)[] regions) => AssertMaskedInFrames(original, masked, null, regions);

    /// <summary>The same, black in some frames only.</summary>
    /// <param name="original">The file before.</param>
    /// <param name="masked">The file after.</param>
    /// <param name="frames">1-based, such as 1-5,9; null: all.</param>
    /// <param name="regions">To be black.</param>
    public static async Task AssertMaskedInFrames(byte[] original, byte[] masked, string? frames, params (int X, int Y, int Width, int Height)[] regions)
    {
        var folder = Directory.CreateTempSubdirectory("sidecar-oracle-");
        try
        {
            var (before, after) = (Path.Combine(folder.FullName, "before.dcm"), Path.Combine(folder.FullName, "after.dcm"));
            await File.WriteAllBytesAsync(before, original);
            await File.WriteAllBytesAsync(after, masked);
            var start = new ProcessStartInfo("/usr/bin/python3", [Script(), before, after, .. frames is null ? (string[])[] : ["--frames", frames], .. regions.SelectMany(r => new[] { "--region", $"{r.X},{r.Y},{r.Width},{r.Height}" })])
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
