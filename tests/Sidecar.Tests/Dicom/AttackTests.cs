using System.Text.Json;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Masking;
using Sidecar.TestData;
using Sidecar.Workers;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>
/// Text wherever a DICOM file can hide a picture. tests/oracle/find_text.py, which shares no code with the masker, must find it in each place of the
/// original, and nowhere in the result.
/// </summary>
public sealed class AttackTests
{
    private const int Columns = 64;
    private const int Rows = 48;
    private const int Frames = 2;
    private const string Text = "PHI";
    private const int TextX = 21;
    private const int TextY = 18;
    private static readonly Mask Region = MaskerCalls.Mask(TextX - 3, TextY - 3, (Text.Length * BitmapFont.Advance) + 5, BitmapFont.Height + 6);

    private static readonly PixelFormat Grey = PixelFormat.Grey(Columns, Rows);
    private static readonly PixelFormat Deep = PixelFormat.Grey(Columns, Rows, bitsStored: 12);
    private static readonly PixelFormat Indexed = PixelFormat.Indexed(Columns, Rows, Palette.Mixed());

    /// <summary>How the files are built; those with a command are compressed by it afterwards. dcmtk's encoders leave icons out.</summary>
    private static readonly (string Name, Func<byte[]> Build, string? Encoder, string[] Places)[] Files =
    [
        ("12 bits", () => InHighBits(Everywhere(Deep)).Build(), null,
            ["frame 1", "frame 2", "frame 1 bit 14", "frame 2 bit 13", "overlay 6004 frame 1", "overlay 6004 frame 2", "bytes"]),
        ("12 bits, big endian", () => InHighBits(Everywhere(Deep)).Syntax(TransferSyntaxes.ExplicitBigEndian).Build(), null, ["frame 1", "frame 2 bit 13", "overlay 6004 frame 2", "bytes"]),
        ("12 bits, RLE", () => InHighBits(Everywhere(Deep)).Syntax(TransferSyntaxes.RleLossless).Build(), null, ["frame 1", "frame 1 bit 14", "overlay 6004 frame 2", "bytes"]),
        ("implicit", () => Everywhere(Grey).Syntax(TransferSyntaxes.ImplicitLittleEndian).Build(), null, ["frame 1", "frame 2", "bytes", "bits"]),
        ("deflated", () => Everywhere(Grey).Syntax(TransferSyntaxes.DeflatedExplicitLittleEndian).Build(), null, ["frame 1", "overlay 6004 frame 1"]),
        ("palette", () => Everywhere(Indexed).Build(), null, ["colours of frame 1", "colours of frame 2", "overlay 6004 frame 1"]),
        ("colour by plane", () => Everywhere(PixelFormat.Colour(Columns, Rows, planarConfiguration: 1)).Build(), null, ["frame 1", "frame 2", "bytes"]),
        ("behind the last frame", () => BehindTheLastFrame(new InstanceBuilder().Image(Grey, SampleFrame.Gradient(Grey, Frames)).Build()), null, ["bytes"]),
        ("in the padding", () => new InstanceBuilder().Image(Grey, SampleFrame.Gradient(Grey, Frames)).Set(0xFFFCFFFC, "OB", Picture(Columns, 20)).Build(), null, ["bytes"]),
        ("in the icon", () => new InstanceBuilder().Image(Grey, SampleFrame.Gradient(Grey, Frames)).Sequence(Tags.IconImageSequence, SequenceLength.Undefined, Icon()).Build(), null, ["bytes"]),
        ("in a nested icon", () => Nested(new InstanceBuilder().Image(Grey, SampleFrame.Gradient(Grey, Frames))).Build(), null, ["bytes"]),
        ("JPEG", () => Everywhere(Grey).Build(), "dcmcjpeg +eb +un", ["frame 1", "frame 2", "overlay 6004 frame 2"]),
        ("JPEG lossless", () => Everywhere(Deep).Build(), "dcmcjpeg +e1", ["frame 1", "frame 2", "overlay 6004 frame 2"]),
        ("JPEG-LS", () => Everywhere(Deep).Build(), "dcmcjpls", ["frame 1", "frame 2", "overlay 6004 frame 2"]),
        ("JPEG 2000", () => Everywhere(Grey).Build(), "opj_compress -mct 0 -n 3", ["frame 1", "frame 2", "overlay 6004 frame 2", "bytes"]),
    ];

    [Fact]
    public void BurnMasks_TextInEveryPlace_IsInNoneAfterwards() => Oracle.InFolder(folder =>
    {
        using var pool = new CodecWorkerPool(new WorkerOptions(), new Quarantine());
        var masker = new InstanceMasker(NativeCodecs.AddTo(FrameCodecs.Managed, pool));
        var originals = Files.Select((file, i) => Write(folder, i, file.Build(), file.Encoder)).ToList();
        var masked = originals.ConvertAll(path => MaskFile(masker, path));

        var before = Find(originals);
        var after = Find(masked);

        Assert.All(Files.Zip(before), pair => Assert.True(pair.First.Places.All(pair.Second.Contains), $"{pair.First.Name}: only seen in {string.Join(", ", pair.Second)}"));
        Assert.All(Files.Zip(after), pair => Assert.True(pair.Second.Count == 0, $"{pair.First.Name}: still in {string.Join(", ", pair.Second)}"));
        return 0;
    });

    /// <summary>Text in the frames, in both frames of an overlay, in the icon and in an icon below a private sequence.</summary>
    private static InstanceBuilder Everywhere(PixelFormat format)
    {
        var frames = format.Palette is null ? SampleFrame.Gradient(format, Frames) : SampleFrame.Noise(format, Frames);
        foreach (var frame in frames)
        {
            for (var y = TextY - 1; y <= TextY + BitmapFont.Height; y++)
            {
                for (var x = TextX - 1; x < TextX + (Text.Length * BitmapFont.Advance); x++)
                {
                    format.Black.CopyTo(frame[x, y]);
                }
            }
            TextBurner.Burn(frame, format, Text, TextX, TextY, scale: 1);
        }
        return Nested(new InstanceBuilder().Image(format, frames)).Overlay(2, Columns, Rows, (_, x, y) => IsInk(x - TextX, y - TextY), Frames)
            .Sequence(Tags.IconImageSequence, SequenceLength.Defined, Icon());
    }

    /// <summary>Bit 14 as an overlay says so; of bit 13 nothing does.</summary>
    private static InstanceBuilder InHighBits(InstanceBuilder builder)
    {
        builder.OverlayInHighBit(0, 14, (_, x, y) => IsInk(x - TextX, y - TextY)).OverlayInHighBit(1, 13, (_, x, y) => IsInk(x - TextX, y - TextY));
        foreach (var element in new uint[] { 0x60020010, 0x60020011, 0x60020040, 0x60020050, 0x60020100, 0x60020102 })
        {
            builder.Remove(new AttributeTag(element, "US"));
        }
        return builder;
    }

    private static InstanceBuilder Nested(InstanceBuilder builder) => builder.Private(0x0029, "MAKER", 0x10, "SQ")
        .Sequence(0x00291010, SequenceLength.Undefined, new DataSet().Set(Tags.StudyID, "1").Sequence(Tags.IconImageSequence, SequenceLength.Defined, Icon()));

    private static DataSet Icon() => new DataSet().Set(Tags.SamplesPerPixel, 1).Set(Tags.PhotometricInterpretation, "MONOCHROME2").Set(Tags.Rows, 16).Set(Tags.Columns, 32)
        .Set(Tags.BitsAllocated, 8).Set(Tags.BitsStored, 8).Set(Tags.HighBit, 7).Set(Tags.PixelRepresentation, 0).Set(Tags.PixelData.Tag, "OW", Picture(32, 16));

    private static byte[] BehindTheLastFrame(byte[] file)
    {
        var pixels = Surgery.Find(file, Tags.PixelData.Tag);
        byte[] value = [.. file[(int)pixels.ValueStart..(int)pixels.ValueEnd], .. Picture(Columns, 20)];
        return Surgery.Replace(file, Tags.PixelData.Tag, [0xE0, 0x7F, 0x10, 0x00, .. "OB"u8, 0, 0, .. BitConverter.GetBytes(value.Length), .. value]);
    }

    /// <summary>An 8-bit picture of the text alone.</summary>
    private static byte[] Picture(int width, int height) => [.. Enumerable.Range(0, width * height).Select(i => IsInk((i % width) - 5, (i / width) - 4) ? (byte)255 : (byte)0)];

    private static bool IsInk(int x, int y) =>
        x >= 0 && y is >= 0 and < BitmapFont.Height && x / BitmapFont.Advance < Text.Length && x % BitmapFont.Advance < BitmapFont.Width
        && BitmapFont.IsSet(Text[x / BitmapFont.Advance], x % BitmapFont.Advance, y);

    private static string Write(string folder, int number, byte[] file, string? encoder)
    {
        var path = Path.Combine(folder, $"{number}.dcm");
        if (encoder is null)
        {
            File.WriteAllBytes(path, file);
            return path;
        }
        var native = Path.Combine(folder, $"{number}.native.dcm");
        File.WriteAllBytes(native, file);
        Oracle.Run("/usr/bin/python3", [Oracle.Script("compress.py"), native, encoder, path]);
        return path;
    }

    private static string MaskFile(InstanceMasker masker, string path)
    {
        var result = path + ".masked";
        using var original = File.OpenRead(path);
        using var burned = new FileStream(result, FileMode.CreateNew, FileAccess.ReadWrite);
        var outcome = masker.BurnMasks(original, burned, [Region], CancellationToken.None);
        Assert.True(outcome is MaskOutcome.Masked, outcome.ToString());
        return result;
    }

    /// <summary>For each file the places where the text is.</summary>
    private static List<List<string>> Find(List<string> paths)
    {
        var glyph = Enumerable.Range(0, BitmapFont.Height).Select(y => string.Concat(Enumerable.Range(0, (Text.Length * BitmapFont.Advance) - 1).Select(x => IsInk(x, y) ? '#' : '.'))).ToArray();
        var questions = string.Concat(paths.Select(file => JsonSerializer.Serialize(new { file, glyph }) + '\n'));
        return [.. Oracle.Run("/usr/bin/python3", [Oracle.Script("find_text.py")], questions).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<List<string>>(line)!)];
    }
}
