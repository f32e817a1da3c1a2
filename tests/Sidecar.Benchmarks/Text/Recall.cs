using Sidecar.Dicom.Pixels;

namespace Sidecar.Benchmarks.Text;

/// <summary>Where something said that text is.</summary>
/// <param name="Region">In stored pixels.</param>
/// <param name="Frames">0-based; null: all.</param>
/// <param name="Confidence">0 to 1.</param>
internal sealed record Claim(Region Region, IReadOnlyList<int>? Frames, double Confidence);

/// <summary>Counts what a way of finding text found of a set, and what it made up.</summary>
internal sealed class Recall
{
    /// <summary>Share of a line's ink that must be covered for it to count as found.</summary>
    private const double LeastCovered = 0.9;

    private readonly List<(KnownImage Image, IReadOnlyList<Claim> Claims)> withText = [];
    private readonly List<(KnownImage Image, IReadOnlyList<Claim> Claims)> withoutText = [];

    /// <param name="image">Of the set.</param>
    /// <param name="claims">Null where it could not be scanned: nothing of it counts as found, nor as clean.</param>
    public void Add(KnownImage image, IReadOnlyList<Claim>? claims)
    {
        if (image.Lines.Count > 0)
        {
            withText.Add((image, claims ?? []));
        }
        else if (claims is not null)
        {
            withoutText.Add((image, claims));
        }
    }

    public void Write(TextWriter output, string name, double leastConfidence = 0)
    {
        var images = withText.Select(one => (one.Image, Covered: one.Image.Lines.Select(line => Covered(line, [.. one.Claims.Where(claim => claim.Confidence >= leastConfidence)])).ToList())).ToList();
        var lines = images.SelectMany(image => image.Covered).ToList();
        var madeUp = withoutText.Select(one => one.Claims.Count(claim => claim.Confidence >= leastConfidence)).ToList();
        output.WriteLine(FormattableString.Invariant(
            $"{name,-34} {Share(lines, share => share >= LeastCovered),9:0.000} {Share(lines, share => share >= 0.5),9:0.000} {Share(images, image => image.Covered.TrueForAll(share => share >= LeastCovered)),9:0.000} {Share(madeUp, count => count == 0),11:0.000} {(madeUp.Count == 0 ? 0 : madeUp.Average()),14:0.00}"));
    }

    public static void WriteHead(TextWriter output) => output.WriteLine($"{"",-34} {"box >=90%",9} {"box >=50%",9} {"image",9} {"specificity",11} {"false per image",14}");

    /// <summary>The share of boxes found by what is special about them, the images that lost one, and what is made up.</summary>
    public void WriteLosses(TextWriter output)
    {
        foreach (var tag in withText.SelectMany(one => one.Image.Lines.SelectMany(line => line.Tags.Select(tag => (tag, Found: Covered(line, one.Claims) >= LeastCovered)))).GroupBy(one => one.tag).OrderBy(group => group.Key))
        {
            output.WriteLine(FormattableString.Invariant($"    {tag.Key,-20} {tag.Average(one => one.Found ? 1.0 : 0.0):0.000} of {tag.Count()}"));
        }
        foreach (var (image, claims) in withText)
        {
            foreach (var line in image.Lines.Where(line => Covered(line, claims) < LeastCovered))
            {
                output.WriteLine(FormattableString.Invariant($"    missed {Covered(line, claims):0.00} {image.Name} {line.Region.X},{line.Region.Y} {line.Region.Width}x{line.Region.Height}"));
            }
        }
        foreach (var (image, claim) in withoutText.SelectMany(one => one.Claims.Select(claim => (one.Image, claim))))
        {
            output.WriteLine(FormattableString.Invariant($"    made up {claim.Confidence:0.00} {image.Name} {claim.Region.X},{claim.Region.Y} {claim.Region.Width}x{claim.Region.Height} in {claim.Frames?.Count.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "all"} frames"));
        }
    }

    private static double Share<T>(List<T> all, Predicate<T> holds) => all.Count == 0 ? 0 : (double)all.Count(one => holds(one)) / all.Count;

    /// <summary>The least share of ink that is covered in any frame of the line. Where only a box is known, all of it counts as ink.</summary>
    private static double Covered(KnownLine line, IReadOnlyList<Claim> claims) =>
        (line.Frames ?? [.. claims.SelectMany(claim => claim.Frames ?? []).Append(0).Distinct()]).Min(frame => CoveredIn(frame, line, claims));

    private static double CoveredIn(int frame, KnownLine line, IReadOnlyList<Claim> claims)
    {
        var here = claims.Where(claim => claim.Frames?.Contains(frame) ?? true).Select(claim => claim.Region).ToList();
        var (ink, covered) = (0, 0);
        for (var y = 0; y < line.Region.Height; y++)
        {
            for (var x = 0; x < line.Region.Width; x++)
            {
                if (line.Ink?[(y * line.Region.Width) + x] ?? true)
                {
                    var (atX, atY) = (line.Region.X + x, line.Region.Y + y);
                    ink++;
                    covered += here.Exists(region => atX >= region.X && atX < region.Right && atY >= region.Y && atY < region.Bottom) ? 1 : 0;
                }
            }
        }
        return ink == 0 ? 1 : (double)covered / ink;
    }
}
