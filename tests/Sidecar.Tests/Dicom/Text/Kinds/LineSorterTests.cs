using Sidecar.Dicom.Pixels;
using Sidecar.Dicom.Text;
using Sidecar.Dicom.Text.Kinds;
using Xunit;

namespace Sidecar.Tests.Dicom.Text.Kinds;

/// <summary>What is handed to the reader, and what is made of its answers.</summary>
public sealed class LineSorterTests
{
    private static readonly FrameImage Frame = MakeFrame();

    [Fact]
    public void Read_LineFromBottomToTop_IsTurnedAndTheBetterWayTaken()
    {
        var reader = new FakeReader(line => line.Pixels[0] == 255 ? new TextReading("gibberish", 0.2) : new TextReading("DOE JOHN", 0.9));

        var read = new LineSorter(reader, HarmlessWords.Load()).Read(Frame, new Region(10, 10, 10, 60), CancellationToken.None)!;

        Assert.Equal("DOE JOHN", read.Reading.Text);
        Assert.Equal((60, 10), (read.Length, read.Height));
        Assert.All(reader.Lines, line => Assert.True(line.Width > line.Height));
    }

    [Fact]
    public void Read_SureReading_IsNotTriedUpsideDown()
    {
        var reader = new FakeReader(_ => new TextReading("DOE", 0.9));

        new LineSorter(reader, HarmlessWords.Load()).Read(Frame, new Region(10, 10, 60, 10), CancellationToken.None);

        Assert.Single(reader.Lines);
    }

    [Fact]
    public void Read_AtTheEdgeOfTheFrame_StaysInside()
    {
        var reader = new FakeReader(_ => new TextReading("DOE", 0.9));

        new LineSorter(reader, HarmlessWords.Load()).Read(Frame, new Region(40, 90, 60, 10), CancellationToken.None);

        Assert.Equal((63, 13), (reader.Lines[0].Width, reader.Lines[0].Height));
    }

    [Fact]
    public void Read_ReaderFails_TheLineIsOfNoKnownKind()
    {
        var sorter = new LineSorter(new FakeReader(_ => throw new ScanFailedException("no")), HarmlessWords.Load());

        Assert.Null(sorter.Read(Frame, new Region(10, 10, 60, 10), CancellationToken.None));
        Assert.Equal(new SortedLine(FindingKind.Other, null, null), sorter.Sort([], new KnownValues()));
    }

    [Fact]
    public void Read_ColouredTextOfTheGroundsBrightness_IsReadInItsColour()
    {
        var reader = new FakeReader(_ => new TextReading("DOE", 0.9));
        var (grey, blue, red) = (new ushort[10_000], new byte[10_000], new byte[10_000]);
        Array.Fill(grey, (ushort)90);
        Array.Fill(blue, (byte)128);
        for (var i = 0; i < red.Length; i++)
        {
            red[i] = (byte)(i % 100 < 50 ? 128 : 200);
        }

        new LineSorter(reader, HarmlessWords.Load()).Read(new FrameImage(100, 100, grey) { Chroma = (blue, red) }, new Region(20, 20, 60, 10), CancellationToken.None);

        Assert.Equal([0, 255], reader.Lines[0].Pixels.Distinct().Order().Select(value => (int)value));
    }

    [Fact]
    public void Sort_ReadingsThatDiffer_TheOneThatTellsMostCounts()
    {
        var known = new KnownValues();
        known.Add("PatientName", ValueForm.PersonName, "Doe^John");
        var sorter = new LineSorter(null, HarmlessWords.Load());

        var sorted = sorter.Sort([Reading("120 kV"), Reading("DOE JOHN"), Reading("12.05.1942")], known);

        Assert.Equal(new SortedLine(FindingKind.PersonName, "PatientName", "DOE JOHN"), sorted);
    }

    private static LineReading Reading(string text) => new(new TextReading(text, 0.9), 10 * text.Length, 16);

    // Brighter to the right and downwards, so that turns show.
    private static FrameImage MakeFrame()
    {
        var grey = new ushort[10_000];
        for (var i = 0; i < grey.Length; i++)
        {
            grey[i] = (ushort)((i % 100) + (i / 100));
        }
        return new FrameImage(100, 100, grey);
    }

    private sealed class FakeReader(Func<GreyImage, TextReading> read) : ITextReader
    {
        public List<GreyImage> Lines { get; } = [];

        public TextReading Read(GreyImage line, CancellationToken token)
        {
            Lines.Add(line);
            return read(line);
        }
    }
}
