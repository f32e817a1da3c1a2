namespace Sidecar.Reviews;

/// <summary>The exact interval of a proportion by Clopper and Pearson (Biometrika 26, 1934), for samples of any size.</summary>
internal static class BinomialBound
{
    /// <summary>
    /// The upper end of the two-sided 95 % interval: the proportion under which so few hits as <paramref name="hits"/> in <paramref name="trials"/>, or fewer, would still come with
    /// a probability of 2.5 %. 1 where nothing was tried.
    /// </summary>
    public static double Upper95(long hits, long trials)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(hits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(hits, trials);
        if (hits == trials)
        {
            return 1;
        }

        const double Tail = 0.025;
        if (hits == 0)
        {
            return 1 - Math.Pow(Tail, 1.0 / trials);
        }

        // The probability falls as the proportion grows: halving the interval 60 times reaches the precision of a double.
        var (low, high) = ((double)hits / trials, 1.0);
        for (var step = 0; step < 60; step++)
        {
            var middle = (low + high) / 2;
            if (AtMost(hits, trials, middle) > Tail)
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }

        return high;
    }

    /// <summary>Probability of at most <paramref name="hits"/> in <paramref name="trials"/> where each comes with <paramref name="proportion"/>. Terms by their logarithms, so that none underflows early.</summary>
    private static double AtMost(long hits, long trials, double proportion)
    {
        var odds = Math.Log(proportion) - Math.Log(1 - proportion);
        var term = trials * Math.Log(1 - proportion);
        var sum = Math.Exp(term);
        for (long k = 1; k <= hits; k++)
        {
            term += Math.Log((trials - k + 1.0) / k) + odds;
            sum += Math.Exp(term);
        }

        return sum;
    }
}
