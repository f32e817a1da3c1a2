using System.Buffers;

namespace Sidecar.Dicom.Files;

/// <summary>
/// The byte ranges of a file that get other bytes. Writing copies everything else as it is, and repairs the lengths of the sequences, items and groups
/// around what grew or shrank.
/// </summary>
internal sealed class FileEdits(Part10File file)
{
    private readonly List<Edit> edits = [];

    /// <summary>Replaces a whole element, or puts a new one where its tag belongs.</summary>
    public void Set(DicomTag tag, byte[] element)
    {
        if (file.Find(tag) is { } existing)
        {
            Replace(existing.Start, existing.End, element);
            return;
        }
        var next = file.Elements.FirstOrDefault(candidate => candidate.Tag.Value > tag.Value);
        var at = next?.Start ?? file.Elements[^1].End;
        edits.Add(new Edit(at, at, element, tag, null));
    }

    /// <summary>Appends an item to an existing sequence.</summary>
    public void AppendItem(DicomElement sequence, byte[] item) =>
        edits.Add(new Edit(sequence.ValueEnd, sequence.ValueEnd, item, default, sequence));

    public void Remove(DicomElement element) => Replace(element.Start, element.End, []);

    public void Replace(long start, long end, byte[] bytes) => edits.Add(new Edit(start, end, bytes, default, null));

    /// <summary>
    /// Writes the edited file. The value of <paramref name="pixelData"/> is written by <paramref name="writePixels"/> and may change its length only where
    /// that length is undefined.
    /// </summary>
    /// <returns>Where each original offset lies in the result.</returns>
    public Func<long, long> WriteTo(Stream result, DicomElement pixelData, Action<Stream> writePixels, CancellationToken token)
    {
        RepairLengths(file.Elements, file.Encoding);
        RepairGroupLengths(file.Elements);
        // At one place an item appended to a sequence comes before an element that follows it; new elements follow their tags.
        var ordered = edits.OrderBy(edit => edit.Start).ThenBy(edit => edit.End).ThenBy(edit => edit.Inside is null ? 1 : 0).ThenBy(edit => edit.Tag.Value).ToList();
        var moves = new List<(long From, long To)> { (0, 0) };
        var position = 0L;
        var pixelsWritten = false;
        foreach (var edit in ordered)
        {
            if (!pixelsWritten && edit.Start >= pixelData.ValueEnd)
            {
                CopyPixels();
            }
            if (edit.Start < position)
            {
                throw new InvalidOperationException($"Two edits overlap at byte {edit.Start}.");
            }
            Copy(edit.Start);
            result.Write(edit.Bytes);
            position = edit.End;
            moves.Add((edit.End, result.Position));
        }
        if (!pixelsWritten)
        {
            CopyPixels();
        }
        Copy(file.Stream.Length);
        return offset =>
        {
            var (from, to) = moves.FindLast(move => move.From <= offset);
            return to + offset - from;
        };

        void CopyPixels()
        {
            Copy(pixelData.ValueStart);
            writePixels(result);
            position = pixelData.ValueEnd;
            moves.Add((position, result.Position));
            pixelsWritten = true;
        }

        void Copy(long end)
        {
            file.Stream.Position = position;
            var buffer = ArrayPool<byte>.Shared.Rent(1 << 17);
            while (position < end)
            {
                token.ThrowIfCancellationRequested();
                var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - position));
                file.Stream.ReadExactly(part);
                result.Write(part);
                position += part.Length;
            }
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void RepairLengths(IReadOnlyList<DicomElement> elements, DatasetEncoding encoding)
    {
        foreach (var element in elements)
        {
            if (element.Items is not null)
            {
                foreach (var item in element.Items)
                {
                    RepairLengths(item.Elements, element.ItemEncoding!);
                    if (!item.HasUndefinedLength)
                    {
                        RepairUInt32(item.Start + 4, item.End - item.ValueStart, Growth(item.ValueStart, item.ValueEnd, null), element.ItemEncoding!);
                    }
                }
                if (!element.HasUndefinedLength)
                {
                    var growth = Growth(element.ValueStart, element.ValueEnd, element);
                    if (growth != 0 && element.Vr != Vr.None && element.ValueStart - element.Start == 8)
                    {
                        throw new UnsupportedInstanceException($"Sequence {element.Tag}, out of which something must go, has its length in a form that its VR does not allow. Repair the file first.");
                    }
                    // The header is written as its own level is, even where UN hides little endian items.
                    RepairUInt32(element.ValueStart - 4, element.ValueLength, growth, encoding);
                }
            }
        }
    }

    /// <summary>Group lengths (gggg,0000) are retired outside of group 0002 (PS3.5 7.2), but old files carry them and old readers trust them.</summary>
    private void RepairGroupLengths(IReadOnlyList<DicomElement> elements)
    {
        for (var i = 0; i < elements.Count; i++)
        {
            if (elements[i] is not { Tag.Element: 0, ValueLength: 4 } groupLength)
            {
                continue;
            }
            var group = groupLength.Tag.Group;
            var last = i;
            while (last + 1 < elements.Count && elements[last + 1].Tag.Group == group)
            {
                last++;
            }
            var (start, end) = (groupLength.End, elements[last].End);
            var growth = edits.Where(edit => (edit.Start >= start && edit.Start < end && (edit.Start != edit.End || edit.Inside is not null || edit.Tag.Group == group))
                || (edit.Start == end && (edit.Tag.Group == group || edit.Inside == elements[last]))).Sum(edit => edit.Growth);
            RepairUInt32(groupLength.ValueStart, file.Encoding.ReadUInt32(file.ReadValue(groupLength)), growth, file.Encoding);
        }
    }

    private long Growth(long start, long end, DicomElement? container) =>
        edits.Where(edit => (edit.Start >= start && edit.Start < end && edit.End <= end) || (container is not null && edit.Inside == container))
            .Sum(edit => edit.Growth);

    private void RepairUInt32(long at, long old, long growth, DatasetEncoding encoding)
    {
        if (growth == 0)
        {
            return;
        }
        var bytes = new byte[4];
        encoding.WriteUInt32(bytes, checked((uint)(old + growth)));
        Replace(at, at + 4, bytes);
    }

    private sealed record Edit(long Start, long End, byte[] Bytes, DicomTag Tag, DicomElement? Inside)
    {
        public long Growth => Bytes.Length - (End - Start);
    }
}
