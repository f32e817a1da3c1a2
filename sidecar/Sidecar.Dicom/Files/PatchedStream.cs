namespace Sidecar.Dicom.Files;

/// <summary>A new file most of whose bytes are another file's: only the others take room. Several may read it at once when all is written.</summary>
/// <param name="original">The other file; must stay open and as it is.</param>
/// <param name="own">Empty; takes the bytes that are not the other file's, and is closed with this.</param>
public sealed class PatchedStream(PositionedStream original, PositionedStream own) : PositionedStream
{
    // In order of their places and without gaps; each goes on to where the next begins.
    private readonly List<Run> runs = [];
    private long length;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override long Length => length;

    /// <summary>Goes on, at the end, with bytes of the other file.</summary>
    public void CopyOriginal(long start, long count)
    {
        if (Position != length || start < 0 || start + count > original.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(start), "Only bytes that are there, and only at the end.");
        }
        if (count > 0)
        {
            Append(new Run(Position, IsOwn: false, start - Position), count);
        }
    }

    /// <summary>Takes bytes that are in no place yet; for <see cref="Put"/>, as often as they are needed.</summary>
    public Kept Keep(ReadOnlySpan<byte> bytes)
    {
        var at = own.Position = own.Length;
        own.Write(bytes);
        return new Kept(at, bytes.Length);
    }

    /// <summary>Puts bytes in the place of others; leaves <see cref="Position"/> alone.</summary>
    public void Put(long position, Kept bytes)
    {
        var end = position + bytes.Count;
        if (position < 0 || end > length)
        {
            throw new ArgumentOutOfRangeException(nameof(position), "There are no bytes to be replaced.");
        }
        if (bytes.Count == 0)
        {
            return;
        }
        var (first, last) = (Find(position), Find(end - 1));
        List<Run> instead = [];
        if (runs[first].Start < position)
        {
            instead.Add(runs[first]);
        }
        instead.Add(new Run(position, IsOwn: true, bytes.At - position));
        if (end < EndOf(last))
        {
            instead.Add(runs[last] with { Start = end });
        }
        runs.RemoveRange(first, last - first + 1);
        runs.InsertRange(first, instead);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (Position > length)
        {
            throw new NotSupportedException("There are no gaps.");
        }
        var count = (int)Math.Min(buffer.Length, length - Position);
        Put(Position, Keep(buffer[..count]));
        Position += count;
        if (count < buffer.Length)
        {
            var kept = Keep(buffer[count..]);
            Append(new Run(Position, IsOwn: true, kept.At - Position), kept.Count);
        }
    }

    /// <inheritdoc/>
    public override int ReadAt(long position, Span<byte> buffer)
    {
        var end = Math.Min(position + buffer.Length, length);
        if (position >= end)
        {
            return 0;
        }
        var first = Find(position);
        // What lies between two shared runs is read along with them and then written over: that is one reading instead of many.
        for (var i = first; i < runs.Count && runs[i].Start < end;)
        {
            if (runs[i].IsOwn)
            {
                i++;
                continue;
            }
            var (from, to, shift, next) = (Math.Max(position, runs[i].Start), EndOf(i), runs[i].Shift, i + 1);
            for (var j = next; j < runs.Count && runs[j].Start < end && (runs[j].IsOwn || runs[j].Shift == shift); j++)
            {
                if (!runs[j].IsOwn)
                {
                    (to, next) = (EndOf(j), j + 1);
                }
            }
            ReadExactly(original, from + shift, buffer[(int)(from - position)..(int)(Math.Min(to, end) - position)]);
            i = next;
        }
        for (var i = first; i < runs.Count && runs[i].Start < end; i++)
        {
            if (runs[i].IsOwn)
            {
                var from = Math.Max(position, runs[i].Start);
                ReadExactly(own, from + runs[i].Shift, buffer[(int)(from - position)..(int)(Math.Min(EndOf(i), end) - position)]);
            }
        }
        return (int)(end - position);
    }

    public override void Flush() => own.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            own.Dispose();
        }
        base.Dispose(disposing);
    }

    private static void ReadExactly(PositionedStream stream, long position, Span<byte> bytes)
    {
        if (stream.ReadAt(position, bytes) < bytes.Length)
        {
            throw new EndOfStreamException();
        }
    }

    private void Append(Run run, long count)
    {
        if (runs.Count == 0 || runs[^1] with { Start = run.Start } != run)
        {
            runs.Add(run);
        }
        length = Position += count;
    }

    private int Find(long position)
    {
        var (low, high) = (0, runs.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = runs[middle].Start <= position ? (middle, high) : (low, middle - 1);
        }
        return low;
    }

    private long EndOf(int index) => index + 1 < runs.Count ? runs[index + 1].Start : length;

    /// <summary>Bytes that a <see cref="PatchedStream"/> took.</summary>
    public readonly record struct Kept(long At, int Count);

    /// <param name="Start">Its place in this file.</param>
    /// <param name="IsOwn">Where its bytes are.</param>
    /// <param name="Shift">What is added to a place here to find it there.</param>
    private readonly record struct Run(long Start, bool IsOwn, long Shift);
}
