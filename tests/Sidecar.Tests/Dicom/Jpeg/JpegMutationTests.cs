using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using Sidecar.Dicom.Masking;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom.Jpeg;

/// <summary>Damaged codestreams end in an outcome with a reason, soon, whatever bytes they hold.</summary>
public sealed class JpegMutationTests
{
    private const int Mutations = 3000;

    private static readonly byte[][] Files = MakeFiles();

    [Fact]
    public void BurnMasks_MutatedCodestreams_NeverThrowsNorStallsNorWritesWhatItsProofRefuses()
    {
        var mutations = Gen.Choose(0, 1 << 30).ListOf(9).Select(numbers => numbers.ToArray());
        var slowest = TimeSpan.Zero;

        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(Mutations).WithQuietOnSuccess(true),
            Prop.ForAll(mutations.ToArbitrary(), numbers =>
            {
                var watch = Stopwatch.StartNew();
                var (outcome, _) = MaskerCalls.BurnMasks(Mutate(numbers), MaskerCalls.Mask(5, 4, 9, 7));
                slowest = watch.Elapsed > slowest ? watch.Elapsed : slowest;
                return outcome switch
                {
                    MaskOutcome.Masked masked => masked.Proof.ChangedOutside == 0,
                    MaskOutcome.Unsupported refused => refused.Reason.EndsWith('.'),
                    MaskOutcome.Failed failed => failed.Reason.EndsWith('.') && !failed.Reason.Contains("did not pass", StringComparison.Ordinal),
                    _ => false,
                };
            }));

        Assert.True(slowest < TimeSpan.FromSeconds(20), $"The slowest took {slowest}.");
    }

    [Fact]
    public void Mutate_SameNumbers_MakesDifferentFilesOfAllKinds()
    {
        var outcomes = Enumerable.Range(0, 200).Select(i => MaskerCalls.BurnMasks(Mutate([i, .. Enumerable.Range(0, 8).Select(k => (i + 1) * 7919 * (k + 3))]), MaskerCalls.Mask(5, 4, 9, 7)).Outcome.GetType());

        Assert.Equal(3, outcomes.Append(typeof(MaskOutcome.Unsupported)).Distinct().Count());
    }

    /// <summary>Puts four bytes elsewhere in the codestream: half of the time in its head, often a marker's first byte.</summary>
    private static byte[] Mutate(int[] numbers)
    {
        var file = Files[numbers[0] % Files.Length].ToArray();
        ReadOnlySpan<byte> startOfImage = [0xFF, 0xD8, 0xFF];
        var codestream = file.AsSpan(file.AsSpan().IndexOf(startOfImage));
        for (var i = 1; i < numbers.Length; i += 2)
        {
            var place = numbers[i] % 2 == 0 ? codestream[..Math.Min(400, codestream.Length)] : codestream;
            place[numbers[i] / 2 % place.Length] = numbers[i + 1] % 4 == 0 ? (byte)0xFF : (byte)(numbers[i + 1] / 4);
        }
        return file;
    }

    private static byte[][] MakeFiles()
    {
        var grey = new JpegFixture();
        var colour = new JpegFixture { Sampling = [(2, 2), (1, 1), (1, 1)], Colours = JpegColours.Jfif };
        ScanPlan[] progression = [new([0, 1, 2], 0, 0, 0, 1), new([0], 1, 63, 0, 1), new([1], 1, 63), new([2], 1, 63), new([0, 1, 2], 0, 0, 1, 0), new([0], 1, 63, 1, 0)];
        JpegFixture[] lossy =
        [
            grey,
            grey with { Precision = 12, HasFullTables = false },
            colour with { RestartInterval = 3 },
            colour with { Scans = [new([0]), new([1, 2])] },
            colour with { IsProgressive = true, Scans = progression },
        ];
        JpegLosslessTests.Shape[] lossless =
        [
            new(PixelFormat.Grey(53, 37, bitsStored: 12), 12) { Predictor = 4 },
            new(PixelFormat.Colour(53, 37), 8) { RestartRows = 3 },
            new(PixelFormat.Colour(53, 37), 8) { IsInterleaved = false, Predictor = 7 },
        ];
        return [.. lossy.Select(fixture => fixture.Wrap(fixture.Encode(fixture.MakeCoefficients()))), .. lossless.Select(shape => shape.Wrap(shape.Encode(shape.MakeFrame())))];
    }
}
