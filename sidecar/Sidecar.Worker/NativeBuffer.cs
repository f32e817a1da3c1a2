using System.Runtime.InteropServices;

namespace Sidecar.Worker;

/// <summary>Memory outside the managed heap that grows to the largest frame seen and is used again for the next.</summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    private nuint capacity;

    public NativeBuffer()
        : base(0, true)
    {
    }

    public override bool IsInvalid => handle == 0;

    public byte* Pointer => (byte*)handle;

    public int Length { get; private set; }

    public Span<byte> Span => new(Pointer, Length);

    /// <summary>Makes room for <paramref name="bytes"/>; the old content is lost.</summary>
    /// <exception cref="WorkerException">The memory limit is reached.</exception>
    public Span<byte> Resize(long bytes)
    {
        if (bytes > int.MaxValue)
        {
            throw WorkerException.OutOfMemory();
        }
        if (handle == 0 || (nuint)bytes > capacity)
        {
            NativeMemory.Free((void*)handle);
            handle = 0;
            capacity = Math.Max((nuint)bytes, 1 << 16);
            handle = (nint)NativeMemory.Alloc(capacity);
        }
        Length = (int)bytes;
        return Span;
    }

    /// <summary>Keeps only the first <paramref name="bytes"/>.</summary>
    public void Truncate(int bytes) => Length = Math.Min(Length, bytes);

    /// <summary>Makes room for at least <paramref name="bytes"/> and keeps the content. Returns false where the memory limit is reached.</summary>
    public bool TryGrow(long bytes)
    {
        if (bytes > int.MaxValue)
        {
            return false;
        }
        if (handle == 0 || (nuint)bytes > capacity)
        {
            var larger = Math.Max((nuint)bytes, Math.Min(capacity * 2, int.MaxValue));
            try
            {
                handle = (nint)NativeMemory.Realloc((void*)handle, larger);
            }
            catch (OutOfMemoryException)
            {
                return false;
            }
            capacity = larger;
        }
        Length = Math.Max(Length, (int)bytes);
        return true;
    }

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
