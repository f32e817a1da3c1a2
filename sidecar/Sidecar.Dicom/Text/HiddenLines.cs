using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>
/// Lines that no view of a whole picture shows, because their letters differ too little from what lies around them: written in the least or greatest
/// stored value on something almost as dark or bright, or faint on a ground that is nearly even. Letters that stand in a row, or in a column where
/// the line is written upward or downward, lead to them, so that pictures without any cost next to nothing.
/// </summary>
internal static class HiddenLines
{
    /// <summary>Difference of brightness that the detector sees by itself, of 255.</summary>
    private const int VisibleContrast = 40;

    /// <summary>Letters of one line differ in height by no more than this share, and so do their feet.</summary>
    private const double HeightTolerance = 0.3;

    /// <summary>Letters in a row that lead to a look: fewer happen in noise.</summary>
    private const int LeastLetters = 4;

    /// <summary>Looks that one picture is worth: a texture has many rows that are none. The longest are taken.</summary>
    private const int MostLooks = 6;

    /// <summary>Side of the square that a pixel is compared with. Larger letters are seen anyway. Pixels.</summary>
    private const int Surroundings = 31;

    /// <summary>How far a letter stands out from its surroundings, in their mean deviations.</summary>
    private const double Outstanding = 1.5;

    /// <summary>Space between two letters or words, in heights.</summary>
    private const double WidestGap = 1.5;

    /// <summary>Room around a line in its look, beside its height. Pixels.</summary>
    private const int Room = 16;

    /// <summary>The part around each hidden line, rendered so that it stands out.</summary>
    public static List<Look> FindLooks(FrameImage picture, IReadOnlyList<GreyImage> views)
    {
        var (least, greatest) = (picture.Grey.Min(), picture.Grey.Max());
        if (least == greatest)
        {
            return [];
        }
        var hidden = new List<(Row Row, Func<Region, GreyImage> Render)>();
        foreach (var extreme in (ushort[])[least, greatest])
        {
            Add(Array.ConvertAll(picture.Grey, value => value == extreme), region => RenderPlane(picture, region, extreme));
        }
        var local = LocalContrast.Measure(picture, Surroundings);
        Add(local.Mark(Outstanding), local.Render);
        Add(local.Mark(-Outstanding), local.Render);
        return [.. hidden.OrderByDescending(line => line.Row.Letters).Take(MostLooks).Select(line =>
        {
            // Ends of the line, broken letters for example, may not have led here.
            var (region, isUpright) = (line.Row.Region, line.Row.IsUpright);
            var room = Math.Min(region.Width, region.Height) + Room;
            var (beside, above) = isUpright ? (room, 2 * room) : (2 * room, room);
            var (x, y) = (Math.Max(region.X - beside, 0), Math.Max(region.Y - above, 0));
            var part = new Region(x, y, Math.Min(region.Right + beside, picture.Width) - x, Math.Min(region.Bottom + above, picture.Height) - y);
            return new Look(line.Render(part), isUpright ? Way.TurnedAndDoubled : Way.Doubled) { Origin = (x, y), Support = 2 };
        })];

        void Add(bool[] marks, Func<Region, GreyImage> render)
        {
            var kept = marks.ToArray();
            var pieces = LineCandidates.FindPieces(marks, picture.Width);
            foreach (var rows in (List<Row>[])[FindRows(pieces, isUpright: false), FindRows(pieces.Select(Transpose), isUpright: true)])
            {
                hidden.AddRange(rows
                    .Where(row => !views.Any(view => IsVisible(view, kept, row.Region)) && !hidden.Exists(other => FoundLine.Intersection(other.Row.Region, row.Region) > 0))
                    .Select(row => (row, render)).ToList());
            }
        }
    }

    /// <summary>Rows of letters of one height on one line, with no wide gap between them.</summary>
    /// <param name="pieces">What may be letters; transposed where the line is upright.</param>
    /// <param name="isUpright">Of columns.</param>
    private static List<Row> FindRows(IEnumerable<Region> pieces, bool isUpright)
    {
        var rows = new List<(Region Region, Region Last, int Letters)>();
        var open = new List<int>();
        foreach (var piece in pieces.Where(LineCandidates.IsLetterHigh).OrderBy(piece => piece.X))
        {
            open.RemoveAll(row => rows[row].Last.Right + (2 * WidestGap * rows[row].Last.Height) < piece.X);
            var index = open.FindIndex(row => Follows(rows[row].Last, piece, isUpright));
            if (index < 0)
            {
                open.Add(rows.Count);
                rows.Add((piece, piece, 1));
            }
            else
            {
                var row = rows[open[index]];
                rows[open[index]] = (FoundLine.Join(row.Region, piece), piece, row.Letters + 1);
            }
        }
        return [.. rows.Where(row => row.Letters >= LeastLetters).Select(row => new Row(isUpright ? Transpose(row.Region) : row.Region, row.Letters, isUpright))];
    }

    private static bool Follows(Region last, Region next, bool isUpright)
    {
        var height = Math.Max(last.Height, next.Height);
        // The feet of a line that is written downward are at its left.
        var feet = isUpright ? Math.Min(Math.Abs(last.Bottom - next.Bottom), Math.Abs(last.Y - next.Y)) : Math.Abs(last.Bottom - next.Bottom);
        return Math.Abs(last.Height - next.Height) <= height * HeightTolerance && feet <= height * HeightTolerance
            && next.X >= last.Right && next.X - last.Right <= WidestGap * height && next.Width <= 2 * height;
    }

    private static Region Transpose(Region region) => new(region.Y, region.X, region.Height, region.Width);

    /// <summary>Whether marked pixels are much brighter or darker than the others of the row, in a view of the whole picture.</summary>
    private static bool IsVisible(GreyImage view, bool[] marks, Region row)
    {
        long ink = 0, ground = 0, inkCount = 0;
        for (var y = row.Y; y < row.Bottom; y++)
        {
            for (var x = row.X; x < row.Right; x++)
            {
                var at = (y * view.Width) + x;
                if (marks[at])
                {
                    ink += view.Pixels[at];
                    inkCount++;
                }
                else
                {
                    ground += view.Pixels[at];
                }
            }
        }
        var groundCount = ((long)row.Width * row.Height) - inkCount;
        return Math.Abs(((double)ink / Math.Max(1, inkCount)) - ((double)ground / Math.Max(1, groundCount))) >= VisibleContrast;
    }

    private static GreyImage RenderPlane(FrameImage picture, Region region, ushort value)
    {
        var pixels = new byte[region.Width * region.Height];
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = picture.Grey[((region.Y + (i / region.Width)) * picture.Width) + region.X + (i % region.Width)] == value ? (byte)255 : (byte)0;
        }
        return new GreyImage(region.Width, region.Height, pixels);
    }

    /// <summary>Letters that make a line.</summary>
    private sealed record Row(Region Region, int Letters, bool IsUpright);
}
