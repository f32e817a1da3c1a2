using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Pixels;

namespace Sidecar.Dicom.Masking;

/// <summary>Burns masks into one DICOM instance and proves the result. Holds no state; one object serves all threads.</summary>
public sealed class InstanceMasker(FrameCodecs codecs)
{
    private static readonly DicomTag LengthToEnd = new(0x00080001);
    private static readonly DicomTag PixelDataGroupLength = new(0x7FE00000);

    /// <summary>
    /// Copies the Part 10 file in <paramref name="original"/> to <paramref name="result"/>, burns <paramref name="masks"/> into it, updates the
    /// attributes PS3.15 E.3.1 asks for, reads the result back and compares. Memory stays bounded by a few frames.
    /// </summary>
    /// <param name="original">Seekable and readable, at position 0.</param>
    /// <param name="result">Seekable, readable, writable and empty. Holds nothing usable unless the outcome is <see cref="MaskOutcome.Masked"/>.</param>
    /// <param name="masks">At least one.</param>
    /// <param name="token">Checked between frames.</param>
    /// <exception cref="IOException">A stream failed: the world is broken, not the instance.</exception>
    public MaskOutcome BurnMasks(Stream original, Stream result, IReadOnlyList<Mask> masks, CancellationToken token)
    {
        ArgumentOutOfRangeException.ThrowIfZero(masks.Count);
        try
        {
            if (original.Length > FileInMemory.MaxLength)
            {
                return Burn(original, result, masks, token);
            }
            using var whole = FileInMemory.Read(original);
            return Burn(whole.Stream, result, masks, token);
        }
        catch (UnsupportedInstanceException refusal)
        {
            return new MaskOutcome.Unsupported(refusal.Message);
        }
        catch (DicomFormatException damage)
        {
            return new MaskOutcome.Failed(damage.Message);
        }
    }

    private MaskOutcome Burn(Stream original, Stream result, IReadOnlyList<Mask> masks, CancellationToken token)
    {
        var meta = FileMeta.Read(original);
        var support = TransferSyntaxSupport.Find(meta.TransferSyntaxUid);
        var codec = codecs.Find(meta.TransferSyntaxUid);
        if (!support.IsNative && codec is null)
        {
            throw new UnsupportedInstanceException(support.Reason ?? $"{support.Name} is not supported here.");
        }
        using var originalHash = new FileHash(original, token);
        if (meta.TransferSyntaxUid != TransferSyntaxUids.DeflatedExplicitLittleEndian)
        {
            return BurnExpanded(original, originalHash, meta, result, result, masks, codec, token);
        }
        using var expanded = DeflatedFile.Expand(original, meta, token);
        using var burned = DeflatedFile.CreateTemporary();
        return BurnExpanded(expanded, originalHash, meta, burned, result, masks, codec, token);
    }

    /// <summary>Works on <paramref name="expanded"/> and <paramref name="burned"/>, which are the files themselves unless those are deflated.</summary>
    private MaskOutcome BurnExpanded(
        Stream expanded, FileHash originalHash, FileMeta meta, Stream burned, Stream result, IReadOnlyList<Mask> masks, IFrameCodec? codec, CancellationToken token)
    {
        var file = Part10File.Read(expanded, meta);
        var layout = PixelLayout.Read(file);
        var pixels = StoredPixels.Open(file, layout, BlackSample.Compute(layout, file), codec);
        var plan = new BurnPlan(layout, masks);
        WriteBurned(file, pixels, plan, burned, token);
        if (PixelExtremes.AreIn(file))
        {
            CorrectExtremes(burned, token);
        }
        if (!ReferenceEquals(burned, result))
        {
            DeflatedFile.Deflate(burned, result, meta);
        }
        result.Flush();
        if (result.Length > FileInMemory.MaxLength)
        {
            return Prove(meta, originalHash, pixels, result, plan, token);
        }
        using var readBack = FileInMemory.Read(result);
        return Prove(meta, originalHash, pixels, readBack.Stream, plan, token);
    }

    private static void WriteBurned(Part10File file, StoredPixels pixels, BurnPlan plan, Stream result, CancellationToken token)
    {
        var edits = new FileEdits(file);
        AttributeEdits.Plan(file, edits, pixels.FormatOf(0).HoldsSamples, pixels.PlanTranscoding());
        OverlayPlanes.Plan(file, edits, [.. plan.Regions.Select(region => pixels.FormatOf(0).Shape.Snap(region, pixels.Layout.Columns, pixels.Layout.Rows))]);
        var growth = 0L;
        // Headers come in many small pieces.
        var buffered = new BufferedStream(result, 1 << 15);
        var toResult = edits.WriteTo(buffered, pixels.Element, WritePixels, token);
        buffered.Flush();
        foreach (var (valueStart, value) in pixels.DependentValues)
        {
            Overwrite(result, toResult(valueStart), value);
        }
        Grow(PixelDataGroupLength, growth);
        // Retired with ACR-NEMA: everything that grew lies behind it.
        Grow(LengthToEnd, result.Length - file.Stream.Length);

        void Grow(DicomTag tag, long by)
        {
            if (by != 0 && file.Find(tag) is { ValueLength: 4 } length)
            {
                var value = new byte[4];
                file.Encoding.WriteUInt32(value, (uint)(file.Encoding.ReadUInt32(file.ReadValue(length)) + by));
                Overwrite(result, toResult(length.ValueStart), value);
            }
        }

        void WritePixels(Stream stream)
        {
            var start = stream.Position;
            pixels.WriteBurned(stream, plan.RegionsOf, token);
            growth = stream.Position - start - pixels.Element.ValueLength;
        }
    }

    private void CorrectExtremes(Stream burned, CancellationToken token)
    {
        var (file, pixels) = Open(burned, FileMeta.Read(burned));
        foreach (var (element, value) in PixelExtremes.FindStale(file, pixels, token).ToList())
        {
            Overwrite(burned, element.ValueStart, value);
        }
    }

    /// <summary>Reads the result as a stranger would, and compares it with the original.</summary>
    private MaskOutcome Prove(FileMeta originalMeta, FileHash originalHash, StoredPixels originalPixels, Stream result, BurnPlan plan, CancellationToken token)
    {
        using var resultHash = new FileHash(result, token);
        var meta = FileMeta.Read(result);
        using var expanded = meta.TransferSyntaxUid == TransferSyntaxUids.DeflatedExplicitLittleEndian ? DeflatedFile.Expand(result, meta, token) : null;
        var (_, resultPixels) = Open(expanded ?? result, meta);
        if (TransferSyntaxSupport.Find(meta.TransferSyntaxUid).IsNative)
        {
            // Both processors hash, and comparing is quick: it would only delay the second hash, which everything waits for in the end.
            originalHash.Wait();
        }
        var finding = MaskVerifier.Compare(originalPixels, resultPixels, plan, token);
        if (finding.ChangedOutside != 0 || finding.NotBlackFrame is not null)
        {
            return new MaskOutcome.Failed(finding.NotBlackFrame is { } frame
                ? $"The result did not pass its check: frame {frame} is not black inside the regions. Nothing was kept."
                : $"The result did not pass its check: {finding.ChangedOutside} samples outside of the regions changed. Nothing was kept.");
        }
        return new MaskOutcome.Masked(new MaskProof
        {
            Frames = originalPixels.Layout.Frames,
            TransferSyntaxUid = originalMeta.TransferSyntaxUid,
            OutputTransferSyntaxUid = meta.TransferSyntaxUid,
            Regions = finding.Burned,
            ChangedOutside = finding.ChangedOutside,
            Sha256 = originalHash.Wait(),
            OutputSha256 = resultHash.Wait(),
            FrameXxh64 = finding.FrameXxh64,
        });
    }

    private (Part10File File, StoredPixels Pixels) Open(Stream stream, FileMeta meta)
    {
        var file = Part10File.Read(stream, meta);
        var layout = PixelLayout.Read(file);
        return (file, StoredPixels.Open(file, layout, BlackSample.Compute(layout, file), codecs.Find(meta.TransferSyntaxUid)));
    }

    private static void Overwrite(Stream stream, long position, ReadOnlySpan<byte> value)
    {
        stream.Position = position;
        stream.Write(value);
    }
}
