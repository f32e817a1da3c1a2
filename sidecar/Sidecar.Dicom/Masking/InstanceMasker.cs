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
        using var pending = Begin(original, result, masks, token);
        return pending.Complete();
    }

    /// <summary>As <see cref="BurnMasks"/>, but leaves the hashes of short files to be computed with those of others. The streams must stay open until the end.</summary>
    public PendingMask Begin(Stream original, Stream result, IReadOnlyList<Mask> masks, CancellationToken token) => Begin(original, result, masks, withMd5: false, null, token);

    internal PendingMask Begin(Stream original, Stream result, IReadOnlyList<Mask> masks, bool withMd5, BlockHashes? arrived, CancellationToken token)
    {
        ArgumentOutOfRangeException.ThrowIfZero(masks.Count);
        var pending = new PendingMask(withMd5);
        try
        {
            Burn(pending, original, result, masks, arrived, token);
        }
        catch (UnsupportedInstanceException refusal)
        {
            pending.End(new MaskOutcome.Unsupported(refusal.Message));
        }
        catch (DicomFormatException damage)
        {
            pending.End(new MaskOutcome.Failed(damage.Message));
        }
        catch
        {
            pending.Dispose();
            throw;
        }
        return pending;
    }

    private void Burn(PendingMask pending, Stream original, Stream result, IReadOnlyList<Mask> masks, BlockHashes? arrived, CancellationToken token)
    {
        if (original.Length <= FileInMemory.MaxLength)
        {
            original = pending.Hold(FileInMemory.Read(original)).Stream;
        }
        var meta = FileMeta.Read(original);
        var support = TransferSyntaxSupport.Find(meta.TransferSyntaxUid);
        var codec = codecs.Find(meta.TransferSyntaxUid);
        if (!support.IsNative && codec is null)
        {
            throw new UnsupportedInstanceException(support.Reason ?? $"{support.Name} is not supported here.");
        }
        var originalHash = pending.Hash(original, arrived, token);
        // What is worked on: the files themselves, unless they are deflated.
        var (expanded, burned) = (original, result);
        if (meta.TransferSyntaxUid == TransferSyntaxUids.DeflatedExplicitLittleEndian)
        {
            expanded = pending.Hold(DeflatedFile.Expand(original, meta, token));
            burned = pending.Hold(DeflatedFile.CreateTemporary());
        }
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
        var written = result.Length <= FileInMemory.MaxLength ? pending.Hold(FileInMemory.Read(result)).Stream : result;
        Prove(pending, meta, originalHash, pixels, written, plan, token);
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
            // Not through the buffer: they come in large pieces, or not at all where the result shares them.
            stream.Flush();
            var start = result.Position;
            pixels.WriteBurned(result, plan.RegionsOf, token);
            growth = result.Position - start - pixels.Element.ValueLength;
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
    private void Prove(
        PendingMask pending, FileMeta originalMeta, FileHash originalHash, StoredPixels originalPixels, Stream result, BurnPlan plan, CancellationToken token)
    {
        var resultHash = pending.Hash(result, null, token);
        var meta = FileMeta.Read(result);
        using var expanded = meta.TransferSyntaxUid == TransferSyntaxUids.DeflatedExplicitLittleEndian ? DeflatedFile.Expand(result, meta, token) : null;
        var (_, resultPixels) = Open(expanded ?? result, meta);
        if (TransferSyntaxSupport.Find(meta.TransferSyntaxUid).IsNative && !FileHash.IsShort(result.Length))
        {
            // Both processors hash, and comparing is quick: it would only delay the second hash, which everything waits for in the end.
            originalHash.Wait();
        }
        var finding = MaskVerifier.Compare(originalPixels, resultPixels, plan, token);
        if (finding.ChangedOutside != 0 || finding.NotBlackFrame is not null)
        {
            pending.End(new MaskOutcome.Failed(finding.NotBlackFrame is { } frame
                ? $"The result did not pass its check: frame {frame} is not black inside the regions. Nothing was kept."
                : $"The result did not pass its check: {finding.ChangedOutside} samples outside of the regions changed. Nothing was kept."));
            return;
        }
        pending.End(() => new MaskOutcome.Masked(new MaskProof
        {
            Frames = originalPixels.Layout.Frames,
            TransferSyntaxUid = originalMeta.TransferSyntaxUid,
            OutputTransferSyntaxUid = meta.TransferSyntaxUid,
            Regions = finding.Burned,
            ChangedOutside = finding.ChangedOutside,
            Sha256 = originalHash.Sha256,
            OutputSha256 = resultHash.Sha256,
            FrameXxh64 = finding.FrameXxh64,
        }));
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
