using System.Buffers;
using System.Runtime.InteropServices;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Codecs.Jpeg;

/// <summary>Decodes frames of the lossless process: 2 to 16 bits, all predictors, interleaved or not.</summary>
internal static class JpegLosslessDecoder
{
    /// <param name="bytes">The codestream.</param>
    /// <param name="codestream">Its structure.</param>
    /// <param name="frame">Samples pixel by pixel, little endian.</param>
    /// <param name="sampleBytes">1 or 2.</param>
    public static void Decode(ReadOnlySpan<byte> bytes, JpegCodestream codestream, Span<byte> frame, int sampleBytes)
    {
        using var reader = new JpegLosslessReader();
        foreach (var scan in JpegLosslessScan.ReadAll(codestream))
        {
            DecodeScan(bytes[scan.Scan.Entropy], scan, codestream.Header.Components.Count, reader, frame, sampleBytes);
        }
    }

    private static void DecodeScan(
        ReadOnlySpan<byte> entropy, JpegLosslessScan scan, int frameComponents, JpegLosslessReader reader, Span<byte> frame, int sampleBytes)
    {
        reader.StartScan(scan);
        var rented = ArrayPool<ushort>.Shared.Rent(2 * scan.RowSamples);
        var row = rented.AsSpan(0, scan.RowSamples);
        var above = rented.AsSpan(scan.RowSamples, scan.RowSamples);
        var rowBytes = scan.Columns * frameComponents * sampleBytes;
        for (var y = 0; y < scan.Rows; y++)
        {
            var isStart = scan.IsStart(y);
            if (isStart)
            {
                reader.StartInterval(ref entropy, scan.IntervalOf(y));
            }
            reader.Read(row);
            JpegLosslessPredictor.Reconstruct(row, isStart ? default : above, scan.Components, scan.Predictor, scan.Initial);
            Store(row, scan, frameComponents, frame.Slice(y * rowBytes, rowBytes), sampleBytes);
            var swap = above;
            above = row;
            row = swap;
        }
        ArrayPool<ushort>.Shared.Return(rented);
    }

    private static void Store(ReadOnlySpan<ushort> row, JpegLosslessScan scan, int frameComponents, Span<byte> target, int sampleBytes)
    {
        if (sampleBytes == 2 && frameComponents == scan.Components && scan.PointTransform == 0 && BitConverter.IsLittleEndian)
        {
            MemoryMarshal.AsBytes(row).CopyTo(target);
            return;
        }
        var source = 0;
        for (var x = 0; x < scan.Columns; x++)
        {
            foreach (var component in scan.Scan.Components)
            {
                var sample = row[source++] << scan.PointTransform;
                var to = ((x * frameComponents) + component.Index) * sampleBytes;
                if (sampleBytes == 2)
                {
                    target[to + 1] = (byte)(sample >> 8);
                }
                else if (sample > 0xFF)
                {
                    throw new DicomFormatException("A JPEG frame is damaged: a sample does not fit 8 bits.");
                }
                target[to] = (byte)sample;
            }
        }
    }
}
