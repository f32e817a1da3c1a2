namespace Sidecar.Dicom.Codecs;

/// <summary>What this software does with one transfer syntax.</summary>
/// <param name="Uid">Transfer Syntax UID (PS3.6 A).</param>
/// <param name="Name">The standard's name, shortened where it repeats itself.</param>
/// <param name="CanMask">Whether instances in it can be masked.</param>
/// <param name="Reason">Why not, for a person; null where <paramref name="CanMask"/>.</param>
public sealed record TransferSyntaxSupport(string Uid, string Name, bool CanMask, string? Reason)
{
    private const string NoCodec = "is not supported in this version, because masking it without changing other pixels needs a codec that is not here yet.";
    private const string Video = "is video, which cannot be masked without changing other pixels.";
    private const string Refers = "keeps its pixels on another server, so this file holds nothing to mask.";
    private const string Retired = "is retired and not supported.";

    private static readonly TransferSyntaxSupport[] Table =
    [
        Native(TransferSyntaxUids.ImplicitLittleEndian, "Implicit VR Little Endian"),
        Native(TransferSyntaxUids.ExplicitLittleEndian, "Explicit VR Little Endian"),
        Native(TransferSyntaxUids.DeflatedExplicitLittleEndian, "Deflated Explicit VR Little Endian"),
        Native(TransferSyntaxUids.ExplicitBigEndian, "Explicit VR Big Endian"),
        new(TransferSyntaxUids.RleLossless, "RLE Lossless", true, null),
        new(TransferSyntaxUids.DeflatedImageFrame, "Deflated Image Frame Compression", true, null),
        Refuse("1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian", NoCodec),
        new(TransferSyntaxUids.JpegBaseline, "JPEG Baseline (Process 1)", true, null),
        new(TransferSyntaxUids.JpegExtended, "JPEG Extended (Process 2 and 4)", true, null),
        Refuse("1.2.840.10008.1.2.4.52", "JPEG Extended (Process 3 and 5)", Retired),
        new(TransferSyntaxUids.JpegSpectralSelection, "JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)", true, null),
        Refuse("1.2.840.10008.1.2.4.54", "JPEG Spectral Selection, Non-Hierarchical (Process 7 and 9)", Retired),
        new(TransferSyntaxUids.JpegFullProgression, "JPEG Full Progression, Non-Hierarchical (Process 10 and 12)", true, null),
        Refuse("1.2.840.10008.1.2.4.56", "JPEG Full Progression, Non-Hierarchical (Process 11 and 13)", Retired),
        new(TransferSyntaxUids.JpegLossless, "JPEG Lossless, Non-Hierarchical (Process 14)", true, null),
        Refuse("1.2.840.10008.1.2.4.58", "JPEG Lossless, Non-Hierarchical (Process 15)", Retired),
        .. Enumerable.Range(59, 8).Select(last => Refuse($"1.2.840.10008.1.2.4.{last}", $"JPEG, Hierarchical or Process 16 to 29 (.{last})", Retired)),
        new(TransferSyntaxUids.JpegLosslessSv1, "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14, Selection Value 1)", true, null),
        new(TransferSyntaxUids.JpegLsLossless, "JPEG-LS Lossless", true, null),
        new(TransferSyntaxUids.JpegLsNearLossless, "JPEG-LS Lossy (Near-Lossless)", true, null),
        new(TransferSyntaxUids.Jpeg2000Lossless, "JPEG 2000 (Lossless Only)", true, null),
        new(TransferSyntaxUids.Jpeg2000, "JPEG 2000", true, null),
        Refuse("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component (Lossless Only)", NoCodec),
        Refuse("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component", NoCodec),
        Refuse("1.2.840.10008.1.2.4.94", "JPIP Referenced", Refers),
        Refuse("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", Refers),
        Refuse("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", Video),
        Refuse("1.2.840.10008.1.2.4.100.1", "Fragmentable MPEG2 Main Profile / Main Level", Video),
        Refuse("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", Video),
        Refuse("1.2.840.10008.1.2.4.101.1", "Fragmentable MPEG2 Main Profile / High Level", Video),
        Refuse("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", Video),
        Refuse("1.2.840.10008.1.2.4.102.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1", Video),
        Refuse("1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", Video),
        Refuse("1.2.840.10008.1.2.4.103.1", "Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", Video),
        Refuse("1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", Video),
        Refuse("1.2.840.10008.1.2.4.104.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", Video),
        Refuse("1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", Video),
        Refuse("1.2.840.10008.1.2.4.105.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", Video),
        Refuse("1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", Video),
        Refuse("1.2.840.10008.1.2.4.106.1", "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", Video),
        Refuse("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1", Video),
        Refuse("1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile / Level 5.1", Video),
        Refuse("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", NoCodec),
        Refuse("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", NoCodec),
        Refuse("1.2.840.10008.1.2.4.112", "JPEG XL", NoCodec),
        new(TransferSyntaxUids.HighThroughputJpeg2000Lossless, "High-Throughput JPEG 2000 (Lossless Only)", true, null),
        new(TransferSyntaxUids.HighThroughputJpeg2000RpclLossless, "High-Throughput JPEG 2000 with RPCL Options (Lossless Only)", true, null),
        new(TransferSyntaxUids.HighThroughputJpeg2000, "High-Throughput JPEG 2000", true, null),
        Refuse("1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", Refers),
        Refuse("1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", Refers),
        Refuse("1.2.840.10008.1.2.6.1", "RFC 2557 MIME encapsulation", Retired),
        Refuse("1.2.840.10008.1.2.6.2", "XML Encoding", Retired),
        Refuse("1.2.840.10008.1.2.7.1", "SMPTE ST 2110-20 Uncompressed Progressive Active Video", Video),
        Refuse("1.2.840.10008.1.2.7.2", "SMPTE ST 2110-20 Uncompressed Interlaced Active Video", Video),
        Refuse("1.2.840.10008.1.2.7.3", "SMPTE ST 2110-30 PCM Digital Audio", Video),
        Refuse("1.2.840.10008.1.20", "Papyrus 3 Implicit VR Little Endian", Retired),
    ];

    private static readonly Dictionary<string, TransferSyntaxSupport> ByUid = Table.ToDictionary(entry => entry.Uid);

    /// <summary>Every transfer syntax that is known, in the order of PS3.6 A.</summary>
    public static IReadOnlyList<TransferSyntaxSupport> All => Table;

    /// <summary>Whether the pixels are not compressed, so that no codec is needed.</summary>
    public bool IsNative { get; private init; }

    /// <summary>The entry for <paramref name="uid"/>; for an unknown one, an entry that refuses and names it.</summary>
    public static TransferSyntaxSupport Find(string uid) =>
        ByUid.TryGetValue(uid, out var known) ? known : new(uid, uid, false, "The transfer syntax is not known to this software.");

    private static TransferSyntaxSupport Native(string uid, string name) => new(uid, name, true, null) { IsNative = true };

    private static TransferSyntaxSupport Refuse(string uid, string name, string why) => new(uid, name, false, $"{name} {why}");
}
