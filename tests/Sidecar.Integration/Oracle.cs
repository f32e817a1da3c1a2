using System.Diagnostics;
using System.Text.Json;

namespace Sidecar.Integration;

/// <summary>pydicom's verdict on a masked file, from a child process: our own decoder does not judge itself.</summary>
internal static class Oracle
{
    /// <summary>Fails the test unless the regions are black in every frame, nothing else of the pixels changed, and only the attributes that may.</summary>
    public static Task AssertMasked(byte[] original, byte[] masked, params (int X, int Y, int Width, int Height)[] regions) => Judge([(original, masked)], null, regions);

    /// <summary>The same for many files: starting the judge takes longer than its judgement.</summary>
    public static Task AssertMasked(IReadOnlyList<(byte[] Original, byte[] Masked)> files, params (int X, int Y, int Width, int Height)[] regions) => Judge(files, null, regions);

    /// <summary>The same, black in some frames only.</summary>
    /// <param name="original">The file before.</param>
    /// <param name="masked">The file after.</param>
    /// <param name="frames">1-based, such as 1-5,9; null: all.</param>
    /// <param name="regions">To be black.</param>
    public static Task AssertMaskedInFrames(byte[] original, byte[] masked, string? frames, params (int X, int Y, int Width, int Height)[] regions) => Judge([(original, masked)], frames, regions);

    private static async Task Judge(IReadOnlyList<(byte[] Original, byte[] Masked)> files, string? frames, (int X, int Y, int Width, int Height)[] regions)
    {
        var folder = Directory.CreateTempSubdirectory("sidecar-oracle-");
        try
        {
            List<string> paths = [];
            foreach (var file in files.SelectMany(f => new[] { f.Original, f.Masked }))
            {
                paths.Add(Path.Combine(folder.FullName, $"{paths.Count}.dcm"));
                await File.WriteAllBytesAsync(paths[^1], file);
            }

            var start = new ProcessStartInfo("/usr/bin/python3", [Script(), .. paths, .. frames is null ? (string[])[] : ["--frames", frames], .. regions.SelectMany(r => new[] { "--region", $"{r.X},{r.Y},{r.Width},{r.Height}" })])
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
            var verdicts = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToList();
            Assert.Equal(files.Count, verdicts.Count);
            Assert.All(verdicts, verdict => Assert.Equal(0, verdict.GetProperty("problems").GetArrayLength()));
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
