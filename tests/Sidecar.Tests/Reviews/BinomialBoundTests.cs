using Sidecar.Reviews;
using Xunit;

namespace Sidecar.Tests.Reviews;

public sealed class BinomialBoundTests
{
    // Upper ends of the two-sided 95 % interval as published: the rule 1 - 0.025^(1/n) for no hit, and the tables after Clopper and Pearson (for instance Geigy, Scientific Tables: 1 of 10 is 0.4450).
    [Theory]
    [InlineData(0, 1, 0.9750)]
    [InlineData(0, 10, 0.3085)]
    [InlineData(1, 10, 0.4450)]
    [InlineData(5, 10, 0.8129)]
    [InlineData(9, 10, 0.9975)]
    [InlineData(10, 10, 1.0)]
    [InlineData(0, 100, 0.0362)]
    [InlineData(1, 100, 0.0545)]
    [InlineData(5, 100, 0.1128)]
    [InlineData(10, 100, 0.1762)]
    [InlineData(50, 100, 0.6017)]
    [InlineData(4, 20, 0.4366)]
    public void The_upper_bound_is_the_published_one(long hits, long trials, double bound) => Assert.Equal(bound, BinomialBound.Upper95(hits, trials), 4);

    [Fact]
    public void Nothing_tried_bounds_nothing_and_large_samples_keep_their_precision()
    {
        Assert.Equal(1, BinomialBound.Upper95(0, 0));
        Assert.Equal(3.6888e-6, BinomialBound.Upper95(0, 1_000_000), 9);
        Assert.InRange(BinomialBound.Upper95(10_000, 1_000_000), 0.01019, 0.01021); // nearly the normal's 0.01 + 1.96 × √(0.0099 / 10⁶)
        Assert.Throws<ArgumentOutOfRangeException>(() => BinomialBound.Upper95(2, 1));
    }
}
