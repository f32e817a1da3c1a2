using System.Diagnostics;
using System.Runtime.InteropServices;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.TestData;

/// <summary>The builder is what other tests trust, so pydicom reads what it writes.</summary>
public sealed class InstanceBuilderTests(InstanceBuilderTests.Readings readings) : IClassFixture<InstanceBuilderTests.Readings>
{
    public static TheoryData<string, string> Layouts()
    {
        var data = new TheoryData<string, string>();
        foreach (var layout in Formats.Keys)
        {
            foreach (var syntax in new[] { TransferSyntaxes.ImplicitLittleEndian, TransferSyntaxes.ExplicitLittleEndian, TransferSyntaxes.ExplicitBigEndian,
                TransferSyntaxes.DeflatedExplicitLittleEndian, TransferSyntaxes.RleLossless })
            {
                // Neither 1-bit nor 4:2:2 pixels can be RLE coded (PS3.5 8.2.2).
                if (syntax != TransferSyntaxes.RleLossless || layout is not ("1 bit" or "YBR_FULL_422"))
                {
                    data.Add(layout, syntax);
                }
            }
        }

        return data;
    }

    private static readonly Dictionary<string, PixelFormat> Formats = new()
    {
        ["1 bit"] = PixelFormat.Grey(13, 5, bitsStored: 1),
        ["8 bits"] = PixelFormat.Grey(14, 5),
        ["8 bits, odd size"] = PixelFormat.Grey(13, 5),
        ["12 bits, inverted"] = PixelFormat.Grey(13, 5, bitsStored: 12, inverted: true),
        ["12 bits, signed"] = PixelFormat.Grey(13, 5, bitsStored: 12, isSigned: true),
        ["16 bits"] = PixelFormat.Grey(13, 5, bitsStored: 16),
        ["32 bits"] = PixelFormat.Grey(13, 5, bitsStored: 31),
        ["RGB"] = PixelFormat.Colour(14, 5),
        ["RGB by planes"] = PixelFormat.Colour(13, 5, planarConfiguration: 1),
        ["YBR_FULL"] = PixelFormat.Colour(14, 5, "YBR_FULL"),
        ["YBR_FULL_422"] = PixelFormat.Colour(14, 5, "YBR_FULL_422"),
        ["palette"] = PixelFormat.Indexed(14, 5, Palette.Mixed()),
    };

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Build_AnyLayoutAndSyntax_PydicomReadsTheSameSamples(string layout, string syntax)
    {
        var expected = SampleFrame.Noise(Formats[layout], frames: 3).SelectMany(frame => frame.Samples).ToArray();
        if (layout == "YBR_FULL_422")
        {
            // The second of two pixels has the chroma of the first.
            for (var sample = 0; sample < expected.Length; sample += 6)
            {
                (expected[sample + 4], expected[sample + 5]) = (expected[sample + 1], expected[sample + 2]);
            }
        }

        Assert.Equal(expected, readings.Samples[(layout, syntax)]);
    }

    [Fact]
    public void Build_EightBitWordsInBigEndian_PydicomReadsTheSameSamples()
    {
        var format = PixelFormat.Grey(14, 5);
        var frames = SampleFrame.Noise(format);
        var file = new InstanceBuilder().Image(format, frames).Syntax(TransferSyntaxes.ExplicitBigEndian).EightBitPixelsAsWords().Build();
        Assert.Equal(frames[0].Samples, ReadWithPydicom(file));
    }

    [Theory]
    [InlineData(OffsetTable.Empty)]
    [InlineData(OffsetTable.Extended)]
    public void Build_OtherOffsetTables_PydicomReadsTheSameSamples(OffsetTable table)
    {
        var format = PixelFormat.Grey(13, 5);
        var frames = SampleFrame.Noise(format, frames: 3);
        var file = new InstanceBuilder().Image(format, frames).Syntax(TransferSyntaxes.RleLossless).Offsets(table).Build();
        Assert.Equal(frames.SelectMany(frame => frame.Samples), ReadWithPydicom(file));
    }

    [Fact]
    public void Build_Twice_GivesTheSameBytes() => Assert.Equal(new InstanceBuilder().Icon(8, 8).Build(), new InstanceBuilder().Icon(8, 8).Build());

    [Fact]
    public void DemoStudies_OtherSeed_GiveOtherUidsAndPatientNumbers()
    {
        var (one, two) = (DemoStudies.All("one"), DemoStudies.All("two"));
        Assert.Equal(one.Select(study => study.Name), two.Select(study => study.Name));
        Assert.Empty(one.Select(study => study.StudyInstanceUid).Intersect(two.Select(study => study.StudyInstanceUid)));
    }

    private static int[] ReadWithPydicom(byte[] file)
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            return ReadWithPydicom(folder.FullName, [file])[0];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static List<int[]> ReadWithPydicom(string folder, IReadOnlyList<byte[]> files)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", [Path.Combine(RepositoryRoot(), "tests/oracle/decode.py")]);
        for (var index = 0; index < files.Count; index++)
        {
            var path = Path.Combine(folder, $"{index}.dcm");
            File.WriteAllBytes(path, files[index]);
            start.ArgumentList.Add(path);
            start.ArgumentList.Add(Path.Combine(folder, $"{index}.raw"));
        }

        using var child = Process.Start(start)!;
        child.WaitForExit();
        Assert.Equal(0, child.ExitCode);
        return [.. files.Select((_, index) => MemoryMarshal.Cast<byte, int>(File.ReadAllBytes(Path.Combine(folder, $"{index}.raw"))).ToArray())];
    }

    /// <summary>All layouts in all syntaxes, read by one Python process: starting it takes longer than reading.</summary>
    public sealed class Readings
    {
        public Readings()
        {
            var folder = Directory.CreateTempSubdirectory();
            try
            {
                var keys = Layouts().Select(row => ((string)row[0], (string)row[1])).ToList();
                var files = keys.Select(key => new InstanceBuilder().Image(Formats[key.Item1], SampleFrame.Noise(Formats[key.Item1], frames: 3))
                    .Syntax(key.Item2).Offsets(OffsetTable.Basic).Build()).ToList();
                Samples = keys.Zip(ReadWithPydicom(folder.FullName, files)).ToDictionary();
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }

        public IReadOnlyDictionary<(string Layout, string Syntax), int[]> Samples { get; }
    }

    private static string RepositoryRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Sidecar.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder;
    }
}
