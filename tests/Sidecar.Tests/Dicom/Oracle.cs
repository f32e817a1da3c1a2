using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>Decoders and judges that share no code with the masker, each in a child process with a time limit.</summary>
internal static class Oracle
{
    /// <summary>Two files to compare: regions as x, y, width, height; keywords of attributes that may differ beyond what masking may change.</summary>
    public sealed record Pair(string Original, string Masked, int[][] Regions, params string[] Allow);

    public static string RepositoryRoot { get; } = FindRepositoryRoot();

    /// <summary>The samples of each file as pydicom reads them: frames, rows, columns, samples of a pixel.</summary>
    public static IReadOnlyList<int[]> Decode(IReadOnlyList<byte[]> files) => Read("decode.py", files);

    /// <summary>The quantized coefficients of the first frame of JPEG files: by component, block and zigzag place.</summary>
    public static IReadOnlyList<int[]> Coefficients(IReadOnlyList<byte[]> files) => Read("jpeg_coefficients.py", files);

    private static List<int[]> Read(string script, IReadOnlyList<byte[]> files) => InFolder(folder =>
    {
        var arguments = new List<string> { Script(script) };
        for (var i = 0; i < files.Count; i++)
        {
            File.WriteAllBytes(Path.Combine(folder, $"{i}.dcm"), files[i]);
            arguments.AddRange([Path.Combine(folder, $"{i}.dcm"), Path.Combine(folder, $"{i}.raw")]);
        }
        Run("/usr/bin/python3", arguments);
        return files.Select((_, i) => MemoryMarshal.Cast<byte, int>(File.ReadAllBytes(Path.Combine(folder, $"{i}.raw"))).ToArray()).ToList();
    });

    /// <summary>What dcmtk prints of a file; fails where dcmtk cannot read it to its end.</summary>
    public static string Dump(byte[] file) => InFolder(folder =>
    {
        var path = Path.Combine(folder, "file.dcm");
        File.WriteAllBytes(path, file);
        return Run("dcmdump", ["+L", "+U8", path]);
    });

    /// <summary>The JPEG files with native pixels, as dcmtk decodes them, colours left as they are coded.</summary>
    public static IReadOnlyList<byte[]> Decompress(IReadOnlyList<byte[]> files) => InFolder(folder => files.Select(file =>
    {
        var (source, target) = (Path.Combine(folder, "source.dcm"), Path.Combine(folder, "target.dcm"));
        File.WriteAllBytes(source, file);
        Run("dcmdjpeg", ["+cn", source, target]);
        return File.ReadAllBytes(target);
    }).ToList());

    /// <summary>compare.py's findings on each pair of files. A pair that crashes the judge's decoder cannot be judged; the others are.</summary>
    public static IReadOnlyList<JsonElement> Compare(IReadOnlyList<Pair> pairs)
    {
        var findings = new List<JsonElement>();
        while (findings.Count < pairs.Count)
        {
            var input = string.Concat(pairs.Skip(findings.Count).Select(pair => JsonSerializer.Serialize(pair, JsonSerializerOptions.Web) + '\n'));
            var (status, output, _) = Start("/usr/bin/python3", [Script("compare_many.py")], input);
            var answers = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToList();
            findings.AddRange(answers);
            if (findings.Count < pairs.Count)
            {
                findings.Add(JsonSerializer.SerializeToElement(new { problems = new[] { $"cannot judge: the judge's decoder ended with {status}" } }));
            }
        }
        return findings;
    }

    public static string Run(string program, IReadOnlyList<string> arguments, string input = "")
    {
        var (status, output, errors) = Start(program, arguments, input);
        Assert.True(status == 0, $"{program} ended with {status}: {errors}");
        return output;
    }

    private static (int Status, string Output, string Errors) Start(string program, IReadOnlyList<string> arguments, string input)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEndAsync();
        var errors = child.StandardError.ReadToEndAsync();
        try
        {
            child.StandardInput.Write(input);
            child.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read everything; its status says why.
        }
        if (!child.WaitForExit(TimeSpan.FromSeconds(240)))
        {
            child.Kill();
            Assert.Fail($"{program} took longer than 240 s.");
        }
        return (child.ExitCode, output.GetAwaiter().GetResult(), errors.GetAwaiter().GetResult());
    }

    public static string Script(string name) => Path.Combine(RepositoryRoot, "tests", "oracle", name);

    public static T InFolder<T>(Func<string, T> use)
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            return use(folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string FindRepositoryRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Sidecar.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }
        return folder;
    }
}
