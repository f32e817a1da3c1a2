using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Codecs.JpegLs;
using Sidecar.TestData;

namespace Sidecar.Tests.Dicom.JpegLs;

/// <summary>A way to write a lossless JPEG-LS frame.</summary>
internal sealed record JpegLsShape(PixelFormat Format)
{
    /// <summary>Bits of a coded sample; those stored where 0.</summary>
    public int Precision { get; init; }

    /// <summary>ILV: 0 one scan a component, 1 by line, 2 by sample.</summary>
    public int InterleaveMode { get; init; } = 1;

    public int RestartRows { get; init; }

    /// <summary>The parameters where they are not the standard's.</summary>
    public JpegLsParameters? Parameters { get; init; }

    /// <summary>A sample from its index and noise.</summary>
    public Func<int, int, int> MakeSample { get; init; } = (_, noise) => noise;

    public int ActualPrecision => Precision == 0 ? Format.BitsStored : Precision;

    public int[] MakeFrame(int seed = 1) => [.. SampleFrame.Noise(Format, seed: seed)[0].Samples.Select((noise, index) => MakeSample(index, noise))];

    public byte[] Encode(int[] samples)
    {
        var parameters = Parameters ?? JpegLsParameters.Default((1 << ActualPrecision) - 1, 0);
        var restartRows = RestartRows > 0 ? RestartRows : Format.Rows;
        var components = Enumerable.Range(0, Format.SamplesPerPixel).ToArray();
        JpegLsScan[] scans = InterleaveMode == 0
            ? [.. components.Select(component => new JpegLsScan([component], false, parameters, restartRows, default))]
            : [new JpegLsScan(components, InterleaveMode == 2 && components.Length > 1, parameters, restartRows, default)];
        using var result = new MemoryStream();
        var header = new JpegLsHeaderWriter(result, [.. components.Select(component => (byte)(component + 1))], scans, ActualPrecision);
        header.WriteFrame(Format.Rows, Format.Columns);
        foreach (var scan in scans)
        {
            header.WriteScan(scan);
            EncodeScan(scan, samples, result);
        }
        header.WriteEnd();
        return result.ToArray();
    }

    public byte[] Wrap(byte[] codestream) => new InstanceBuilder().Image(Format).Encapsulate(TransferSyntaxUids.JpegLsLossless, [[codestream]]).Build();

    private void EncodeScan(JpegLsScan scan, int[] samples, MemoryStream result)
    {
        using var writer = new JpegLsBitWriter();
        var encoder = new JpegLsEncoder(scan, Format.Columns, writer);
        for (var row = 0; row < Format.Rows; row++)
        {
            if (row > 0 && row % scan.RestartRows == 0)
            {
                writer.Flush(result);
                result.Write([0xFF, (byte)(0xD0 + (((row / scan.RestartRows) - 1) & 7))]);
                encoder.State.Reset();
            }
            encoder.StartLines();
            for (var i = 0; i < scan.Components.Length; i++)
            {
                var line = encoder.State.Line(i);
                for (var x = 0; x < Format.Columns; x++)
                {
                    var sample = samples[(((row * Format.Columns) + x) * Format.SamplesPerPixel) + scan.Components[i]];
                    line[x + 1] = (ushort)(sample & ((1 << ActualPrecision) - 1));
                }
            }
            encoder.EncodeLines();
        }
        writer.Flush(result);
    }
}
