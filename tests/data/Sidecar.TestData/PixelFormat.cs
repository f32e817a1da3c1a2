namespace Sidecar.TestData;

/// <summary>How the samples of an image are stored (PS3.3 C.7.6.3.1). Nothing is checked: tests want the impossible ones as well.</summary>
public sealed record PixelFormat(int Columns, int Rows)
{
    public int SamplesPerPixel { get; init; } = 1;

    public int BitsAllocated { get; init; } = 8;

    public int BitsStored { get; init; } = 8;

    public int HighBit { get; init; } = 7;

    public bool IsSigned { get; init; }

    public string PhotometricInterpretation { get; init; } = "MONOCHROME2";

    public int PlanarConfiguration { get; init; }

    /// <summary>Colours of PALETTE COLOR; null for all else.</summary>
    public Palette? Palette { get; init; }

    public int LowestValue => IsSigned ? -(1 << (BitsStored - 1)) : 0;

    /// <summary>Highest value of a sample; of 32 bits only 31 are used here.</summary>
    public int HighestValue => BitsStored >= 32 ? int.MaxValue : (1 << (IsSigned ? BitsStored - 1 : BitsStored)) - 1;

    /// <summary>The samples of a pixel that a person sees as white.</summary>
    public int[] White => PhotometricInterpretation switch
    {
        // PS3.3 C.7.6.3.1.2: in MONOCHROME1 the lowest value is white.
        "MONOCHROME1" => [LowestValue],
        "PALETTE COLOR" => [Palette!.IndexOfBrightest],
        "YBR_FULL" or "YBR_FULL_422" => [HighestValue, 1 << (BitsStored - 1), 1 << (BitsStored - 1)],
        _ => Enumerable.Repeat(HighestValue, SamplesPerPixel).ToArray(),
    };

    /// <summary>The samples of a pixel that a person sees as black.</summary>
    public int[] Black => PhotometricInterpretation switch
    {
        "MONOCHROME1" => [HighestValue],
        "PALETTE COLOR" => [Palette!.IndexOfDarkest],
        "YBR_FULL" or "YBR_FULL_422" => [0, 1 << (BitsStored - 1), 1 << (BitsStored - 1)],
        _ => Enumerable.Repeat(LowestValue, SamplesPerPixel).ToArray(),
    };

    public static PixelFormat Grey(int columns, int rows, int bitsStored = 8, bool isSigned = false, bool inverted = false) => new(columns, rows)
    {
        BitsAllocated = bitsStored switch { 1 => 1, <= 8 => 8, <= 16 => 16, _ => 32 },
        BitsStored = bitsStored,
        HighBit = bitsStored - 1,
        IsSigned = isSigned,
        PhotometricInterpretation = inverted ? "MONOCHROME1" : "MONOCHROME2",
    };

    public static PixelFormat Colour(int columns, int rows, string photometricInterpretation = "RGB", int planarConfiguration = 0) => new(columns, rows)
    {
        SamplesPerPixel = 3,
        PhotometricInterpretation = photometricInterpretation,
        PlanarConfiguration = planarConfiguration,
    };

    public static PixelFormat Indexed(int columns, int rows, Palette palette, int bitsAllocated = 8) => new(columns, rows)
    {
        BitsAllocated = bitsAllocated,
        BitsStored = bitsAllocated,
        HighBit = bitsAllocated - 1,
        PhotometricInterpretation = "PALETTE COLOR",
        Palette = palette,
    };
}

/// <summary>Palette Color Lookup Tables (PS3.3 C.7.6.3.1.5). Entries are 8 or 16 bits wide; both are written in 16-bit words or packed bytes as the standard says.</summary>
public sealed record Palette(int[] Red, int[] Green, int[] Blue, int BitsPerEntry = 16, int FirstMapped = 0)
{
    public int IndexOfBrightest => FirstMapped + Order().Last();

    public int IndexOfDarkest => FirstMapped + Order().First();

    /// <summary>Colours in a mixed order: neither the first nor the last entry is the darkest, so that a masker that writes 0 is caught.</summary>
    public static Palette Mixed(int entries = 256, int bitsPerEntry = 16)
    {
        var top = (1 << bitsPerEntry) - 1;
        int[] Channel(int factor) => Enumerable.Range(0, entries)
            .Select(entry => entry == entries / 3 ? 0 : (int)(((((long)entry * factor) + 40) % entries * top / entries) | 0x10))
            .ToArray();
        return new Palette(Channel(1), Channel(3), Channel(7), bitsPerEntry);
    }

    internal void WriteTo(DataSet dataSet)
    {
        // Values of 65536 entries are written as 0 (C.7.6.3.1.5).
        var descriptor = new object[] { Red.Length & 0xFFFF, FirstMapped, BitsPerEntry };
        foreach (var (channel, offset) in new[] { (Red, 1u), (Green, 2u), (Blue, 3u) })
        {
            dataSet.Set(0x00281100 + offset, "US", descriptor);
            dataSet.Set(0x00281200 + offset, "OW", BitsPerEntry == 8 ? channel.Select(value => (byte)value).ToArray() : Words(channel));
        }
    }

    private static byte[] Words(int[] values) => values.SelectMany(value => new[] { (byte)value, (byte)(value >> 8) }).ToArray();

    private IEnumerable<int> Order() => Enumerable.Range(0, Red.Length).OrderBy(entry => (299L * Red[entry]) + (587L * Green[entry]) + (114L * Blue[entry]));
}
