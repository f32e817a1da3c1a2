using Sidecar.Dicom.Codecs.Jpeg;
using Sidecar.Dicom.Codecs.JpegLs;

namespace Sidecar.Dicom.Codecs;

/// <summary>The codecs a masker may use, by transfer syntax.</summary>
public sealed class FrameCodecs
{
    private static readonly JpegLsCodec JpegLs = new(new DecodedFrames());
    private readonly IReadOnlyDictionary<string, IFrameCodec> byTransferSyntax;

    public FrameCodecs(IReadOnlyDictionary<string, IFrameCodec> byTransferSyntax) => this.byTransferSyntax = byTransferSyntax;

    /// <summary>The codecs written in managed code, safe to run in the service's own process.</summary>
    public static FrameCodecs Managed { get; } = new(new Dictionary<string, IFrameCodec>
    {
        [TransferSyntaxUids.DeflatedImageFrame] = new DeflatedFrameCodec(),
        [TransferSyntaxUids.RleLossless] = new RleCodec(),
        [TransferSyntaxUids.JpegBaseline] = new JpegCodec(),
        [TransferSyntaxUids.JpegExtended] = new JpegCodec(),
        [TransferSyntaxUids.JpegSpectralSelection] = new JpegCodec(),
        [TransferSyntaxUids.JpegFullProgression] = new JpegCodec(),
        [TransferSyntaxUids.JpegLossless] = new JpegCodec(),
        [TransferSyntaxUids.JpegLosslessSv1] = new JpegCodec(),
        [TransferSyntaxUids.JpegLsLossless] = JpegLs,
        [TransferSyntaxUids.JpegLsNearLossless] = JpegLs,
    });

    /// <summary>These codecs and <paramref name="others"/>.</summary>
    public FrameCodecs With(IReadOnlyDictionary<string, IFrameCodec> others) => new(byTransferSyntax.Concat(others).ToDictionary());

    /// <summary>The codec for a transfer syntax; null where none is here.</summary>
    public IFrameCodec? Find(string transferSyntaxUid) => byTransferSyntax.GetValueOrDefault(transferSyntaxUid);
}
