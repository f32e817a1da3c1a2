using System.Security.Cryptography;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Pixels;
using Sidecar.TestData;
using Xunit;

namespace Sidecar.Tests.Dicom;

public sealed class GatheredMaskingTests
{
    private static readonly IReadOnlyList<Mask> Masks = [new(new Region(3, 4, 20, 10))];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(30)]
    public async Task Each_caller_gets_the_outcome_of_its_own_image(int callers)
    {
        var masker = new InstanceMasker(FrameCodecs.Managed);
        var gathered = new GatheredMasking(masker);

        await Task.WhenAll(Enumerable.Range(0, callers).Select(async caller =>
        {
            var image = Image(caller);
            using var result = new MemoryStream();
            var its = await BurnMasks(gathered, new MemoryStream(image), result, Masks, CancellationToken.None);
            var outcome = Assert.IsType<MaskOutcome.Masked>(its.Outcome);
            Assert.Equal((Md5(image), Md5(result.ToArray())), (its.OriginalMd5, its.ResultMd5));
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(image)), outcome.Proof.Sha256);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(result.ToArray())), outcome.Proof.OutputSha256);
            using var alone = new MemoryStream();
            Assert.Equivalent(masker.BurnMasks(new MemoryStream(image), alone, Masks, CancellationToken.None), outcome, strict: true);
            Assert.Equal(alone.ToArray(), result.ToArray());
        }));
    }

    [Fact]
    public async Task One_who_was_announced_and_does_not_come_keeps_nobody_waiting()
    {
        var gathered = new GatheredMasking(new InstanceMasker(FrameCodecs.Managed));
        var announced = gathered.Expect(length: 5000);
        var before = BurnMasks(gathered, new MemoryStream(Image(1)), new MemoryStream(), Masks, CancellationToken.None);
        announced.Dispose();
        announced.Dispose();

        Assert.IsType<MaskOutcome.Masked>((await before).Outcome);
        Assert.IsType<MaskOutcome.Masked>((await BurnMasks(gathered, new MemoryStream(Image(2)), new MemoryStream(), Masks, CancellationToken.None)).Outcome);
    }

    [Fact]
    public async Task A_long_file_is_hashed_beside_the_work()
    {
        var format = PixelFormat.Grey(1024, 1024, bitsStored: 12);
        var image = new InstanceBuilder().Image(format, SampleFrame.Noise(format, seed: 1)).Build();
        using var result = new MemoryStream();

        var its = await BurnMasks(new GatheredMasking(new InstanceMasker(FrameCodecs.Managed)), new MemoryStream(image), result, Masks, CancellationToken.None);

        var outcome = Assert.IsType<MaskOutcome.Masked>(its.Outcome);
        Assert.Equal((Md5(image), Md5(result.ToArray())), (its.OriginalMd5, its.ResultMd5));
        Assert.Equal((Convert.ToHexStringLower(SHA256.HashData(image)), Convert.ToHexStringLower(SHA256.HashData(result.ToArray()))), (outcome.Proof.Sha256, outcome.Proof.OutputSha256));
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(0.5)] // the rest did not come that way: it is hashed as it lies there
    [InlineData(0.0)]
    public async Task A_long_file_is_hashed_while_it_arrives(double share)
    {
        var format = PixelFormat.Grey(1024, 1024, bitsStored: 12);
        var image = new InstanceBuilder().Image(format, SampleFrame.Noise(format, seed: 1)).Build();
        using var result = new MemoryStream();
        using var expected = new GatheredMasking(new InstanceMasker(FrameCodecs.Managed)).Expect(image.Length);
        foreach (var block in image.Take((int)(share * image.Length)).Chunk(100_000))
        {
            await expected.Take(block);
            Array.Clear(block); // whoever gave it uses it again
        }

        var its = await expected.BurnMasks(new MemoryStream(image), result, Masks, CancellationToken.None);

        var outcome = Assert.IsType<MaskOutcome.Masked>(its.Outcome);
        Assert.Equal((Md5(image), Md5(result.ToArray())), (its.OriginalMd5, its.ResultMd5));
        Assert.Equal((Convert.ToHexStringLower(SHA256.HashData(image)), Convert.ToHexStringLower(SHA256.HashData(result.ToArray()))), (outcome.Proof.Sha256, outcome.Proof.OutputSha256));
    }

    /// <summary>Each waits for its hashes on a thread of the pool, and they are computed on others.</summary>
    [Fact]
    public async Task Many_long_files_at_once_do_not_keep_each_other_from_being_hashed()
    {
        var format = PixelFormat.Grey(1024, 1024, bitsStored: 12);
        var image = new InstanceBuilder().Image(format, SampleFrame.Noise(format, seed: 1)).Build();
        var gathered = new GatheredMasking(new InstanceMasker(FrameCodecs.Managed));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ =>
        {
            using var expected = gathered.Expect(image.Length);
            await expected.Take(image);
            return await expected.BurnMasks(new MemoryStream(image), new MemoryStream(), Masks, CancellationToken.None);
        }));

        Assert.All(outcomes, outcome => Assert.IsType<MaskOutcome.Masked>(outcome.Outcome));
        Assert.Single(outcomes.Select(outcome => (outcome.OriginalMd5, outcome.ResultMd5)).Distinct());
    }

    [Fact]
    public async Task One_who_fails_or_is_cancelled_keeps_nobody_waiting()
    {
        var gathered = new GatheredMasking(new InstanceMasker(FrameCodecs.Managed));
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        var broken = BurnMasks(gathered, new BrokenStream(), new MemoryStream(), Masks, CancellationToken.None);
        var gone = BurnMasks(gathered, new MemoryStream(Image(1)), new MemoryStream(), Masks, cancelled.Token);
        var garbage = BurnMasks(gathered, new MemoryStream(new byte[500]), new MemoryStream(), Masks, CancellationToken.None);
        var whole = BurnMasks(gathered, new MemoryStream(Image(2)), new MemoryStream(), Masks, CancellationToken.None);

        await Assert.ThrowsAsync<IOException>(() => broken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        Assert.IsNotType<MaskOutcome.Masked>((await garbage).Outcome);
        Assert.IsType<MaskOutcome.Masked>((await whole).Outcome);
        Assert.IsType<MaskOutcome.Masked>((await BurnMasks(gathered, new MemoryStream(Image(3)), new MemoryStream(), Masks, CancellationToken.None)).Outcome);
    }

    [Fact]
    public async Task One_who_takes_long_keeps_nobody_waiting()
    {
        var gathered = new GatheredMasking(new InstanceMasker(FrameCodecs.Managed));
        using var slow = new SlowStream(Image(1));
        var late = BurnMasks(gathered, slow, new MemoryStream(), Masks, CancellationToken.None);

        Assert.IsType<MaskOutcome.Masked>((await BurnMasks(gathered, new MemoryStream(Image(2)), new MemoryStream(), Masks, CancellationToken.None)).Outcome);

        Assert.False(late.IsCompleted);
        slow.GoOn.Set();
        Assert.IsType<MaskOutcome.Masked>((await late).Outcome);
    }

    private static async Task<GatheredOutcome> BurnMasks(GatheredMasking gathered, Stream original, Stream result, IReadOnlyList<Mask> masks, CancellationToken token)
    {
        using var expected = gathered.Expect(original.Length);
        return await expected.BurnMasks(original, result, masks, token);
    }

    private static byte[] Image(int seed)
    {
        var format = PixelFormat.Grey(64, 32 + seed, bitsStored: 12);
        return new InstanceBuilder().Image(format, SampleFrame.Noise(format, seed: seed)).Build();
    }

#pragma warning disable CA5351 // MD5 is the digest that Orthanc publishes.
    private static string Md5(byte[] content) => Convert.ToHexStringLower(MD5.HashData(content));
#pragma warning restore CA5351

    private sealed class BrokenStream() : MemoryStream(new byte[500])
    {
        public override int Read(Span<byte> buffer) => throw new IOException("The disk is gone.");

        public override int Read(byte[] buffer, int offset, int count) => throw new IOException("The disk is gone.");
    }

    private sealed class SlowStream(byte[] content) : MemoryStream(content)
    {
        public ManualResetEventSlim GoOn { get; } = new();

        public override int Read(byte[] buffer, int offset, int count)
        {
            GoOn.Wait();
            return base.Read(buffer, offset, count);
        }

        public override int Read(Span<byte> buffer)
        {
            GoOn.Wait();
            return base.Read(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            GoOn.Dispose();
            base.Dispose(disposing);
        }
    }
}
