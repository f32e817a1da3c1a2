using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>
/// Stands in where the neural detector is not installed: fine structures that stand out from their surroundings, bright or dark, and lie in a row like
/// letters. Finds nine lines in ten and much that is none (ribs, speckle), so that nothing it passes over may be called free of text.
/// </summary>
internal sealed class LineCandidates : ITextDetector
{
    /// <summary>Said of every candidate: nothing here tells text from what looks like it.</summary>
    private const double Confidence = 0.5;

    /// <summary>Strokes are finer than this. Pixels.</summary>
    private const int Stroke = 9;

    /// <summary>How much brighter or darker than their surroundings strokes are, of 255.</summary>
    private const int LeastContrast = 40;

    private const int LeastHeight = 5;
    private const int MostHeight = 80;
    private const int LeastLetters = 3;

    public IReadOnlyList<TextBox> Detect(GreyImage image, CancellationToken token)
    {
        var found = new List<TextBox>();
        foreach (var isBright in (bool[])[true, false])
        {
            token.ThrowIfCancellationRequested();
            found.AddRange(GroupToLines(FindPieces(MarkStrokes(image, isBright), image.Width).Where(IsLetterHigh)).Select(line => new TextBox(line, Confidence)));
        }
        return found;
    }

    /// <summary>Top-hat: what an opening (for dark strokes a closing) with a square larger than a stroke takes away.</summary>
    private static bool[] MarkStrokes(GreyImage image, bool isBright)
    {
        var pixels = isBright ? image.Pixels : Array.ConvertAll(image.Pixels, value => (byte)(255 - value));
        var opened = Filter(Filter(pixels, image.Width, image.Height, Math.Min), image.Width, image.Height, Math.Max);
        var marks = new bool[pixels.Length];
        for (var i = 0; i < marks.Length; i++)
        {
            marks[i] = pixels[i] - opened[i] >= LeastContrast;
        }
        return marks;
    }

    /// <summary>The least or greatest value in the square around each pixel, along lines and then columns.</summary>
    private static byte[] Filter(byte[] pixels, int width, int height, Func<byte, byte, byte> choose)
    {
        var lines = new byte[pixels.Length];
        var result = new byte[pixels.Length];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var value = pixels[(y * width) + x];
                for (var near = Math.Max(x - (Stroke / 2), 0); near <= Math.Min(x + (Stroke / 2), width - 1); near++)
                {
                    value = choose(value, pixels[(y * width) + near]);
                }
                lines[(y * width) + x] = value;
            }
        }
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var value = lines[(y * width) + x];
                for (var near = Math.Max(y - (Stroke / 2), 0); near <= Math.Min(y + (Stroke / 2), height - 1); near++)
                {
                    value = choose(value, lines[(near * width) + x]);
                }
                result[(y * width) + x] = value;
            }
        }
        return result;
    }

    /// <summary>Whether letters are as high.</summary>
    public static bool IsLetterHigh(Region piece) => piece.Height is >= LeastHeight and <= MostHeight;

    /// <summary>Boxes of what hangs together and is no larger than letters are high. Clears the marks.</summary>
    public static List<Region> FindPieces(bool[] marks, int width)
    {
        var height = marks.Length / width;
        var pieces = new List<Region>();
        var pending = new Stack<int>();
        for (var start = 0; start < marks.Length; start++)
        {
            if (!marks[start])
            {
                continue;
            }
            var (left, top, right, bottom) = (width, height, 0, 0);
            marks[start] = false;
            pending.Push(start);
            while (pending.TryPop(out var place))
            {
                var (y, x) = Math.DivRem(place, width);
                (left, top, right, bottom) = (Math.Min(left, x), Math.Min(top, y), Math.Max(right, x + 1), Math.Max(bottom, y + 1));
                for (var nearY = Math.Max(y - 1, 0); nearY <= Math.Min(y + 1, height - 1); nearY++)
                {
                    for (var nearX = Math.Max(x - 1, 0); nearX <= Math.Min(x + 1, width - 1); nearX++)
                    {
                        if (marks[(nearY * width) + nearX])
                        {
                            marks[(nearY * width) + nearX] = false;
                            pending.Push((nearY * width) + nearX);
                        }
                    }
                }
            }
            if (Math.Max(right - left, bottom - top) >= LeastHeight && Math.Min(right - left, bottom - top) <= MostHeight)
            {
                pieces.Add(new Region(left, top, right - left, bottom - top));
            }
        }
        return pieces;
    }

    /// <summary>From left to right, each piece goes on the line whose last letter it follows.</summary>
    private static IEnumerable<Region> GroupToLines(IEnumerable<Region> pieces)
    {
        var lines = new List<(Region Region, Region Last, int Letters)>();
        foreach (var piece in pieces.OrderBy(piece => piece.X))
        {
            var index = lines.FindIndex(line => Follows(line.Last, piece));
            if (index < 0)
            {
                lines.Add((piece, piece, 1));
            }
            else
            {
                lines[index] = (FoundLine.Join(lines[index].Region, piece), piece, lines[index].Letters + 1);
            }
        }
        return lines.Where(line => line.Letters >= LeastLetters || line.Region.Width > 4 * line.Region.Height).Select(line => line.Region);
    }

    private static bool Follows(Region last, Region next)
    {
        var (lower, higher) = (Math.Min(last.Height, next.Height), Math.Max(last.Height, next.Height));
        return higher <= 2 * lower && next.X - last.Right <= 1.5 * higher
            && Math.Min(last.Bottom, next.Bottom) - Math.Max(last.Y, next.Y) > lower / 2;
    }
}
