using FsCheck;
using FsCheck.Fluent;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Masking;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>Random data sets, damage and regions: what holds for all of them. FsCheck prints the seed of what failed.</summary>
public sealed class PropertyTests
{
    private const int Columns = 18;
    private const int Rows = 11;

    private static readonly string[] Syntaxes =
        [TransferSyntaxes.ExplicitLittleEndian, TransferSyntaxes.ImplicitLittleEndian, TransferSyntaxes.ExplicitBigEndian, TransferSyntaxes.DeflatedExplicitLittleEndian, TransferSyntaxes.RleLossless];

    private static readonly Arbitrary<int> Seeds = Gen.Choose(0, 1 << 30).ToArbitrary();

    [Fact]
    public void BurnMasks_AnyDataSet_KeepsEveryOtherAttribute() => Oracle.InFolder(folder =>
    {
        var pairs = new List<Oracle.Pair>();
        foreach (var seed in Gen.Choose(0, 1 << 30).Sample(120))
        {
            var (original, masked) = (Path.Combine(folder, $"{pairs.Count}.original"), Path.Combine(folder, $"{pairs.Count}.masked"));
            var file = AnyInstance(new Random(seed)).Build();
            File.WriteAllBytes(original, file);
            File.WriteAllBytes(masked, MaskerCalls.Masked(file, MaskerCalls.Mask(2, 1, 7, 5)));
            pairs.Add(new Oracle.Pair(original, masked, [[2, 1, 7, 5]], $"seed {seed}"));
        }
        Assert.All(pairs.Zip(Oracle.Compare(pairs)), judged => Assert.True(judged.Second.GetProperty("problems").GetArrayLength() == 0, $"{judged.First.Allow[0]}: {judged.Second.GetProperty("problems")}"));
        return 0;
    });

    [Fact]
    public void BurnMasks_AnyDataSetMaskedBefore_ChangesPixelsAlone() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(300).WithQuietOnSuccess(true), Prop.ForAll(Seeds, seed =>
    {
        var random = new Random(seed);
        var syntax = Syntaxes[random.Next(3)];
        var once = MaskerCalls.Masked(AnyInstance(random).Syntax(syntax).Build(), AnyMask(random));

        var twice = MaskerCalls.Masked(once, AnyMask(random));

        var pixels = Surgery.Find(once, Tags.PixelData.Tag);
        return once.Length == twice.Length && once.AsSpan(0, (int)pixels.ValueStart).SequenceEqual(twice.AsSpan(0, (int)pixels.ValueStart))
            && once.AsSpan((int)pixels.ValueEnd).SequenceEqual(twice.AsSpan((int)pixels.ValueEnd));
    }));

    [Fact]
    public void Parse_AnyDataSet_FindsElementsThatTouchEachOther() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(300).WithQuietOnSuccess(true), Prop.ForAll(Seeds, seed =>
    {
        var random = new Random(seed);
        var file = AnyInstance(random).Syntax(Syntaxes[random.Next(3)]).Build();
        using var stream = new MemoryStream(file, writable: false);
        var meta = FileMeta.Read(stream);
        var elements = Part10File.Read(stream, meta).Elements;
        return Touch(elements, meta.DatasetStart, file.Length);
    }));

    [Fact]
    public void BurnMasks_AnyDamage_EndsInAnOutcome() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(3000).WithQuietOnSuccess(true), Prop.ForAll(Seeds, seed =>
    {
        var random = new Random(seed);
        var file = Damage(AnyInstance(random).Build(), random);

        var (outcome, _) = MaskerCalls.BurnMasks(file, AnyMask(random));

        return outcome switch
        {
            MaskOutcome.Masked masked => masked.Proof.ChangedOutside == 0,
            MaskOutcome.Unsupported refused => refused.Reason.EndsWith('.'),
            MaskOutcome.Failed failed => failed.Reason.EndsWith('.') && !failed.Reason.Contains("did not pass", StringComparison.Ordinal),
            _ => false,
        };
    }));

    [Fact]
    public void BurnMasks_AnyRegionsInRle_AreBlackAndNothingElseChanges()
    {
        var seeds = Gen.Choose(0, 1 << 30).Sample(150).ToList();
        var cases = seeds.ConvertAll(seed =>
        {
            var random = new Random(seed);
            var format = AnyFormat(random) with { PlanarConfiguration = 0 };
            var frames = random.Next(2) == 0 ? SampleFrame.Noise(format, 1 + random.Next(3), seed) : SampleFrame.Gradient(format, 1 + random.Next(3));
            var masks = Enumerable.Range(0, 1 + random.Next(4)).Select(_ => AnyMask(random)).ToArray();
            var file = new InstanceBuilder().Image(format, frames).Syntax(TransferSyntaxes.RleLossless).Build();
            return (Expected: Expect(format, frames, masks), Masked: MaskerCalls.Masked(file, masks));
        });

        var decoded = Oracle.Decode(cases.ConvertAll(one => one.Masked));

        Assert.All(seeds.Zip(cases, decoded), one => Assert.True(one.Second.Expected.AsSpan().SequenceEqual(one.Third), $"seed {one.First}"));
    }

    private static bool Touch(IReadOnlyList<DicomElement> elements, long start, long end)
    {
        foreach (var element in elements)
        {
            if (element.Start != start || element.ValueStart <= start || element.ValueEnd > element.End)
            {
                return false;
            }
            var position = element.ValueStart;
            foreach (var item in element.Items ?? [])
            {
                if (item.Start != position || !Touch(item.Elements, item.ValueStart, item.ValueEnd))
                {
                    return false;
                }
                position = item.End;
            }
            if (element.Items is not null && position != element.ValueEnd)
            {
                return false;
            }
            start = element.End;
        }
        return start == end;
    }

    private static InstanceBuilder AnyInstance(Random random)
    {
        var format = AnyFormat(random);
        var builder = new InstanceBuilder().Image(format, SampleFrame.Noise(format, 1 + random.Next(3), random.Next())).Syntax(Syntaxes[random.Next(Syntaxes.Length)]);
        if (random.Next(3) == 0)
        {
            builder.OddLengths();
        }
        for (var i = random.Next(8); i > 0; i--)
        {
            var tag = AnyTag(random);
            if (random.Next(3) == 0)
            {
                builder.Sequence(tag, AnyLength(random), AnyItems(random, depth: 0));
            }
            else
            {
                var (vr, value) = AnyValue(random);
                builder.Set(tag, vr, value);
            }
        }
        return builder;
    }

    private static PixelFormat AnyFormat(Random random) => random.Next(4) switch
    {
        0 => PixelFormat.Grey(Columns, Rows),
        1 => PixelFormat.Grey(Columns, Rows, bitsStored: 12, isSigned: random.Next(2) == 0),
        2 => PixelFormat.Grey(Columns, Rows, bitsStored: 16, inverted: true),
        _ => PixelFormat.Colour(Columns, Rows, planarConfiguration: random.Next(2)),
    };

    private static DataSet[] AnyItems(Random random, int depth) => [.. Enumerable.Range(0, random.Next(3)).Select(_ =>
    {
        var item = new DataSet();
        for (var i = random.Next(4); i > 0; i--)
        {
            if (depth < 3 && random.Next(3) == 0)
            {
                item.Sequence(AnyTag(random), AnyLength(random), AnyItems(random, depth + 1));
            }
            else
            {
                var (vr, value) = AnyValue(random);
                item.Set(AnyTag(random), vr, value);
            }
        }
        return item;
    })];

    /// <summary>Private, so that no reader has its own idea of the VR; the creators are left out, which is common.</summary>
    private static uint AnyTag(Random random) => ((uint)(0x0009 + (2 * random.Next(12))) << 16) | 0x1000u | (uint)random.Next(256);

    private static SequenceLength AnyLength(Random random) => random.Next(2) == 0 ? SequenceLength.Defined : SequenceLength.Undefined;

    private static (string Vr, byte[] Value) AnyValue(Random random)
    {
        var vr = (string[])["LO", "UT", "OB", "UN", "UI", "SH"];
        var value = new byte[random.Next(40)];
        for (var i = 0; i < value.Length; i++)
        {
            value[i] = (byte)random.Next(0x30, 0x3A);
        }
        return (vr[random.Next(vr.Length)], value);
    }

    private static Mask AnyMask(Random random) => MaskerCalls.Mask(random.Next(Columns), random.Next(Rows), 1 + random.Next(Columns), 1 + random.Next(Rows));

    /// <summary>Up to nine bytes changed, lost or doubled, or the end cut off.</summary>
    private static byte[] Damage(byte[] file, Random random)
    {
        var bytes = file.ToList();
        for (var i = 1 + random.Next(9); i > 0 && bytes.Count > 200; i--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes.RemoveAt(at);
                    break;
                case 1:
                    bytes.Insert(at, bytes[at]);
                    break;
                case 2 when random.Next(4) == 0:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    bytes[at] = random.Next(3) == 0 ? (byte)0xFF : (byte)random.Next(256);
                    break;
            }
        }
        return [.. bytes];
    }

    private static int[] Expect(PixelFormat format, IEnumerable<SampleFrame> frames, Mask[] masks) => [.. frames.SelectMany(frame =>
    {
        for (var y = 0; y < Rows; y++)
        {
            for (var x = 0; x < Columns; x++)
            {
                if (masks.Any(mask => x >= mask.Region.X && x < mask.Region.Right && y >= mask.Region.Y && y < mask.Region.Bottom))
                {
                    format.Black.CopyTo(frame[x, y]);
                }
            }
        }
        return frame.Samples;
    })];
}
