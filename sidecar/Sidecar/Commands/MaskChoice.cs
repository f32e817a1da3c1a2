using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Commands;

/// <summary>What to burn into which file, from --region, --regions and --frames.</summary>
internal sealed class MaskChoice
{
    private const string EveryFile = "*";
    private readonly IReadOnlyDictionary<string, IReadOnlyList<Region>> byFile;
    private readonly IReadOnlySet<int>? frames;

    private MaskChoice(IReadOnlyDictionary<string, IReadOnlyList<Region>> byFile, IReadOnlySet<int>? frames) => (this.byFile, this.frames) = (byFile, frames);

    /// <exception cref="WrongUsageException">An option cannot be understood, or they contradict each other.</exception>
    public static MaskChoice Parse(IReadOnlyList<string> regions, FileInfo? regionsFile, string? frames)
    {
        if ((regions.Count > 0) == (regionsFile is not null))
        {
            throw new WrongUsageException(regionsFile is null ? "Give --region X,Y,WIDTH,HEIGHT or --regions FILE." : "Give either --region or --regions, not both.");
        }
        var byFile = regionsFile is null
            ? new Dictionary<string, IReadOnlyList<Region>> { [EveryFile] = [.. regions.Select(ParseRegion)] }
            : ReadRegions(regionsFile);
        return new MaskChoice(byFile, frames is null ? null : ParseFrames(frames));
    }

    /// <summary>The masks for a file by its relative path; empty where the regions file names neither it nor all.</summary>
    public IReadOnlyList<Mask> MasksFor(string file) =>
        byFile.TryGetValue(file, out var regions) || byFile.TryGetValue(EveryFile, out regions) ? [.. regions.Select(region => new Mask(region, frames))] : [];

    private static Region ParseRegion(string text)
    {
        const NumberStyles Styles = NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite | NumberStyles.AllowLeadingSign;
        var parts = text.Split(',');
        var numbers = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], Styles, CultureInfo.InvariantCulture, out numbers[i]))
            {
                numbers = [];
                break;
            }
        }
        return numbers is [var x, var y, var width, var height]
            ? CreateRegion(x, y, width, height, text)
            : throw new WrongUsageException($"--region {text} is not X,Y,WIDTH,HEIGHT in whole pixels.");
    }

    private static Region CreateRegion(int x, int y, int width, int height, string shown)
    {
        try
        {
            return new Region(x, y, width, height);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new WrongUsageException($"The region {shown} needs an origin of at least 0,0 and a size of at least 1×1.");
        }
    }

    private static Dictionary<string, IReadOnlyList<Region>> ReadRegions(FileInfo file)
    {
        try
        {
            using var stream = file.OpenRead();
            var listed = JsonSerializer.Deserialize(stream, RegionsJson.Default.DictionaryStringListRegionEntry)
                ?? throw new WrongUsageException($"The regions file {file} is empty.");
            return listed.ToDictionary(
                entry => entry.Key.Replace('\\', '/'),
                entry => (IReadOnlyList<Region>)[.. entry.Value.Select(region => CreateRegion(region.X, region.Y, region.Width, region.Height, $"{region.X},{region.Y},{region.Width},{region.Height}"))]);
        }
        catch (JsonException wrong)
        {
            throw new WrongUsageException($"The regions file {file} is not a JSON object of lists of {{x,y,width,height}}: line {wrong.LineNumber + 1}, at {wrong.Path}.");
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
        {
            throw new WrongUsageException($"The regions file {file} cannot be read: {broken.Message}");
        }
    }

    private static HashSet<int> ParseFrames(string text)
    {
        try
        {
            return [.. FrameNumbers.Parse(text)];
        }
        catch (FormatException)
        {
            throw new WrongUsageException($"--frames {text} is not a list such as 1-5,9, counted from 1.");
        }
    }
}

/// <summary>A region in the regions file.</summary>
internal sealed record RegionEntry
{
    [JsonRequired]
    public int X { get; init; }

    [JsonRequired]
    public int Y { get; init; }

    [JsonRequired]
    public int Width { get; init; }

    [JsonRequired]
    public int Height { get; init; }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Dictionary<string, List<RegionEntry>>))]
internal sealed partial class RegionsJson : JsonSerializerContext;
