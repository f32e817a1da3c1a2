namespace Sidecar.TestData;

/// <summary>One frame as plain numbers: pixel by pixel, the samples of a pixel side by side, whatever the stored layout will be.</summary>
public sealed class SampleFrame(int columns, int rows, int samplesPerPixel)
{
    public int Columns { get; } = columns;

    public int Rows { get; } = rows;

    public int SamplesPerPixel { get; } = samplesPerPixel;

    public int[] Samples { get; } = new int[columns * rows * samplesPerPixel];

    public Span<int> this[int x, int y] => Samples.AsSpan(((y * Columns) + x) * SamplesPerPixel, SamplesPerPixel);

    public SampleFrame Copy()
    {
        var copy = new SampleFrame(Columns, Rows, SamplesPerPixel);
        Samples.CopyTo(copy.Samples, 0);
        return copy;
    }

    /// <summary>Seeded noise over the whole range of values, different in each frame: any change to any sample shows.</summary>
    public static SampleFrame[] Noise(PixelFormat format, int frames = 1, int seed = 1) => Make(format, frames, (frame, index) =>
    {
        // The range is not the highest value + 1 in int: of 31 bits that would overflow.
        var range = (long)format.HighestValue - format.LowestValue + 1;
        if (format.Palette is { } palette)
        {
            range = palette.Red.Length;
        }

        return (int)(format.LowestValue + (long)(Hash(seed, frame, index) % (ulong)range));
    });

    /// <summary>A smooth ramp from left to right and top to bottom, for codecs that noise would defeat.</summary>
    public static SampleFrame[] Gradient(PixelFormat format, int frames = 1) => Make(format, frames, (frame, index) =>
    {
        var pixel = index / format.SamplesPerPixel;
        var (x, y) = (pixel % format.Columns, pixel / format.Columns);
        var range = (long)format.HighestValue - format.LowestValue + 1;
        return (int)(format.LowestValue + ((x + y + (11 * frame) + (5 * (index % format.SamplesPerPixel))) * range / (format.Columns + format.Rows + 64) % range));
    });

    /// <summary>A well-mixed number that depends on nothing but its arguments.</summary>
    public static ulong Hash(int seed, int frame, int index)
    {
        var mixed = ((ulong)(uint)seed * 0x9E3779B97F4A7C15UL) ^ ((ulong)(uint)frame << 40) ^ (uint)index;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
        return mixed ^ (mixed >> 31);
    }

    private static SampleFrame[] Make(PixelFormat format, int frames, Func<int, int, int> sample) => Enumerable.Range(0, frames).Select(frame =>
    {
        var made = new SampleFrame(format.Columns, format.Rows, format.SamplesPerPixel);
        for (var index = 0; index < made.Samples.Length; index++)
        {
            made.Samples[index] = sample(frame, index);
        }

        return made;
    }).ToArray();
}
