using System.Text.Json;
using Sidecar.Dicom.Pixels;
using Sidecar.Dicom.Text;

namespace Sidecar.Benchmarks.Text;

/// <summary>A line of text that is known to be in an image.</summary>
/// <param name="Region">Around its letters.</param>
/// <param name="Frames">0-based; null: in all frames.</param>
/// <param name="Ink">Which pixels of the region are letters, row by row; null where only a box is known.</param>
/// <param name="Tags">What is special about it.</param>
internal sealed record KnownLine(Region Region, IReadOnlyList<int>? Frames, bool[]? Ink, IReadOnlyList<string> Tags);

/// <summary>An image of a set, with the lines known in it: none where it is free of text.</summary>
internal sealed record KnownImage(string Path, string Name, IReadOnlyList<KnownLine> Lines) : IScanSource
{
    public Stream Open() => new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16);
}

/// <summary>Images with known text (ground_truth.json) and without any (negatives.csv) in one folder.</summary>
internal sealed record TruthSet(IReadOnlyList<KnownImage> WithText, IReadOnlyList<KnownImage> WithoutText)
{
    public static TruthSet Read(string directory)
    {
        using var truth = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, "ground_truth.json")));
        var withText = truth.RootElement.EnumerateObject()
            .Select(image => new KnownImage(Path.Combine(directory, image.Name), image.Name, [.. image.Value.GetProperty("boxes").EnumerateArray().Select(ReadLine)]))
            .Where(image => image.Lines.Count > 0);
        var withoutText = File.ReadLines(Path.Combine(directory, "negatives.csv")).Skip(1)
            .Select(row => row.Split(','))
            .Where(row => row[^1].StartsWith('N'))
            .Select(row => new KnownImage(Path.Combine(directory, row[1]), row[1], []));
        return new TruthSet([.. withText.Where(IsThere)], [.. withoutText.Where(IsThere)]);
    }

    /// <summary>Lists may name more than a copy of a collection holds; what is not measured is said.</summary>
    private static bool IsThere(KnownImage image)
    {
        if (!File.Exists(image.Path))
        {
            Console.WriteLine($"    not there: {image.Name}");
            return false;
        }
        return true;
    }

    private static KnownLine ReadLine(JsonElement box)
    {
        var region = new Region(box.GetProperty("x").GetInt32(), box.GetProperty("y").GetInt32(), box.GetProperty("w").GetInt32(), box.GetProperty("h").GetInt32());
        var frames = box.TryGetProperty("frames", out var numbers) ? numbers.EnumerateArray().Select(number => number.GetInt32() - 1).ToArray() : null;
        var tags = box.TryGetProperty("tags", out var words) ? words.EnumerateArray().Select(word => word.GetString()!).ToArray() : [];
        bool[]? ink = null;
        if (box.TryGetProperty("ink", out var packed))
        {
            var bits = packed.GetBytesFromBase64();
            ink = [.. Enumerable.Range(0, region.Width * region.Height).Select(i => (bits[i / 8] & (0x80 >> (i % 8))) != 0)];
        }
        return new KnownLine(region, frames, ink, tags);
    }
}
