namespace Sidecar.Dicom.Text;

/// <summary>A rendering of one frame, or of a part of it: 8-bit grey, 0 is black.</summary>
public sealed class GreyImage
{
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="pixels">Rows from top to bottom without padding. Not copied.</param>
    /// <exception cref="ArgumentException">The size is not positive, or the pixels are not that many.</exception>
    public GreyImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (pixels.Length != (long)width * height)
        {
            throw new ArgumentException("The pixels are not as many as width × height.", nameof(pixels));
        }
        (Width, Height, Pixels) = (width, height, pixels);
    }

    public int Width { get; }

    public int Height { get; }

    public byte[] Pixels { get; }
}
