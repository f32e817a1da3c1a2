namespace Sidecar.TestData;

/// <summary>Burns text into samples, white on whatever is there, as a modality does; in MONOCHROME1 white is the lowest value.</summary>
public static class TextBurner
{
    /// <summary>Writes one line with its top left corner at (<paramref name="x"/>, <paramref name="y"/>); what falls outside is cut off.</summary>
    /// <param name="scale">Pixels a dot: text is 7 × scale high.</param>
    /// <param name="shade">A black edge of one dot below and right of each dot, so that text can be read on bright ground.</param>
    /// <returns>The smallest rectangle around the text, as (x, y, width, height) in pixels.</returns>
    public static (int X, int Y, int Width, int Height) Burn(
        SampleFrame frame, PixelFormat format, string text, int x, int y, int scale = 2, bool shade = false)
    {
        if (shade)
        {
            Draw(frame, format.Black, text, x + Math.Max(1, scale / 2), y + Math.Max(1, scale / 2), scale);
        }

        Draw(frame, format.White, text, x, y, scale);
        return (x, y, ((text.Length * BitmapFont.Advance) - 1) * scale, BitmapFont.Height * scale);
    }

    private static void Draw(SampleFrame frame, int[] colour, string text, int left, int top, int scale)
    {
        for (var index = 0; index < text.Length; index++)
        {
            for (var dotY = 0; dotY < BitmapFont.Height; dotY++)
            {
                for (var dotX = 0; dotX < BitmapFont.Width; dotX++)
                {
                    if (BitmapFont.IsSet(text[index], dotX, dotY))
                    {
                        Fill(frame, colour, left + (((index * BitmapFont.Advance) + dotX) * scale), top + (dotY * scale), scale);
                    }
                }
            }
        }
    }

    private static void Fill(SampleFrame frame, int[] colour, int left, int top, int size)
    {
        for (var y = Math.Max(0, top); y < Math.Min(frame.Rows, top + size); y++)
        {
            for (var x = Math.Max(0, left); x < Math.Min(frame.Columns, left + size); x++)
            {
                colour.CopyTo(frame[x, y]);
            }
        }
    }
}
