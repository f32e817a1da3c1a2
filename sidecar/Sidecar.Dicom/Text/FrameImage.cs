namespace Sidecar.Dicom.Text;

/// <summary>
/// One frame as it is looked at: for each pixel its brightness in the full depth that is stored (larger is brighter, whatever the photometric
/// interpretation), and for colour images how far the colour is from grey.
/// </summary>
internal sealed class FrameImage(int width, int height, ushort[] grey)
{
    public int Width => width;

    public int Height => height;

    /// <summary>Rows from top to bottom.</summary>
    public ushort[] Grey => grey;

    /// <summary>Blue and red difference (Cb, Cr: 128 is grey); null for images without colour.</summary>
    public (byte[] Blue, byte[] Red)? Chroma { get; init; }

    /// <summary>The brightness that viewers show as black and as white; null where the header does not say.</summary>
    public (int Black, int White)? Window { get; init; }

    /// <summary>What overlay planes draw over the frame: 255 where a bit is set, else 0; null where none is.</summary>
    public byte[]? Overlay { get; init; }

    public FrameImage Crop(int x, int y, int columns, int rows)
    {
        return new FrameImage(columns, rows, Cut(grey))
        {
            Chroma = Chroma is { } chroma ? (Cut(chroma.Blue), Cut(chroma.Red)) : null,
            Window = Window,
            Overlay = Overlay is null ? null : Cut(Overlay),
        };

        T[] Cut<T>(T[] plane)
        {
            var part = new T[columns * rows];
            for (var row = 0; row < rows; row++)
            {
                plane.AsSpan(((y + row) * width) + x, columns).CopyTo(part.AsSpan(row * columns));
            }
            return part;
        }
    }
}
