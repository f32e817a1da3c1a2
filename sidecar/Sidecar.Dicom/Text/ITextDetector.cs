using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Text;

/// <summary>Where a line of text is believed to be.</summary>
/// <param name="Region">In pixels of the image that was looked at.</param>
/// <param name="Confidence">0 to 1.</param>
public sealed record TextBox(Region Region, double Confidence);

/// <summary>Finds lines of text in a rendering; does not read them. Called from several threads.</summary>
public interface ITextDetector
{
    /// <exception cref="ScanFailedException">The image could not be looked at: it must not count as free of text.</exception>
    IReadOnlyList<TextBox> Detect(GreyImage image, CancellationToken token);
}

/// <summary>What a reader made of one line. The text is PHI: in memory only.</summary>
/// <param name="Text">As read, errors included; empty where nothing was.</param>
/// <param name="Confidence">0 to 1.</param>
public sealed record TextReading(string Text, double Confidence);

/// <summary>Reads one line of text. Called from several threads.</summary>
public interface ITextReader
{
    /// <param name="line">The line alone with a little room around it, upright, as it is in the rendering (bright on dark or dark on bright).</param>
    /// <param name="token">Ends the reading.</param>
    /// <exception cref="ScanFailedException">The reader failed on this line; the line stays a finding.</exception>
    TextReading Read(GreyImage line, CancellationToken token);
}

/// <summary>An image, or a part of it, could not be looked at. The message is one sentence for a person, without any patient data.</summary>
public sealed class ScanFailedException(string message, Exception? cause = null) : Exception(message, cause);
