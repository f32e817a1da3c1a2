using System.Diagnostics;
using System.Text.Json;

namespace Sidecar.Integration;

/// <summary>pydicom's verdict on a masked file, from a child process: our own decoder does not judge itself.</summary>
internal static class Oracle
{
    private static readonly SemaphoreSlim OneAtATime = new(1);
    private static Process? _judge;

    /// <summary>Fails the test unless the regions are black in every frame, nothing else of the pixels changed, and only the attributes that may.</summary>
    public static Task AssertMasked(byte[] original, byte[] masked, params (int X, int Y, int Width, int Height)[] regions) => Judge([(original, masked)], null, regions);

    /// <summary>The same for many files.</summary>
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
        await OneAtATime.WaitAsync();
        try
        {
            foreach (var ((original, masked), number) in files.Select((file, number) => (file, number)))
            {
                var (before, after) = (Path.Combine(folder.FullName, $"{number}.dcm"), Path.Combine(folder.FullName, $"{number}-masked.dcm"));
                await File.WriteAllBytesAsync(before, original);
                await File.WriteAllBytesAsync(after, masked);
                var verdict = await Ask(JsonSerializer.Serialize(new { original = before, masked = after, frames, regions = regions.Select(r => new[] { r.X, r.Y, r.Width, r.Height }) }));
                Assert.True(verdict.GetProperty("problems").GetArrayLength() == 0, verdict.ToString());
            }
        }
        finally
        {
            OneAtATime.Release();
            folder.Delete(recursive: true);
        }
    }

    /// <summary>One process for all tests of a run, which ends with it; a new one where a decoder took it along.</summary>
    private static async Task<JsonElement> Ask(string question)
    {
        if (_judge is null or { HasExited: true })
        {
            _judge = Process.Start(new ProcessStartInfo("/usr/bin/python3", [Script()]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try
        {
            await _judge.StandardInput.WriteLineAsync(question.AsMemory(), limit.Token);
            await _judge.StandardInput.FlushAsync(limit.Token);
            return JsonDocument.Parse(await _judge.StandardOutput.ReadLineAsync(limit.Token) ?? throw new InvalidOperationException("The judge's decoder ended on this pair of files.")).RootElement;
        }
        catch
        {
            _judge.Kill();
            _judge = null;
            throw;
        }
    }

    private static string Script()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var script = Path.Combine(folder.FullName, "tests", "oracle", "compare_many.py");
            if (File.Exists(script))
            {
                return script;
            }
        }

        throw new FileNotFoundException("tests/oracle/compare_many.py is not above the test's folder.");
    }
}
