namespace Sidecar.Worker;

/// <summary>
/// Makes boxes of a map of probabilities, as differentiable binarization asks for: what is above a threshold hangs together in components; the ones that
/// are likely throughout become boxes, grown by what the network was trained to leave away at the edges of a line.
/// </summary>
internal sealed class TextBoxFinder
{
    private const float Threshold = 0.3f;

    /// <summary>Mean probability of a component that counts.</summary>
    private const double LeastConfidence = 0.5;

    /// <summary>Growth in every direction: this × area / perimeter.</summary>
    private const double Growth = 1.6;

    /// <summary>Pixels of a component's shorter side: less is no stroke of a letter.</summary>
    private const int LeastSide = 3;

    private readonly List<int> pending = [];
    private bool[] isDone = [];

    /// <param name="probabilities">Rows of <paramref name="width"/>.</param>
    /// <param name="width">Columns of the map, at least <paramref name="columns"/>.</param>
    /// <param name="margin">Columns left of the picture and rows above it.</param>
    /// <param name="columns">Columns of the picture within the map.</param>
    /// <param name="rows">Rows of the picture within the map.</param>
    public List<WorkerTextBox> Find(ReadOnlySpan<float> probabilities, int width, int margin, int columns, int rows)
    {
        if (isDone.Length < probabilities.Length)
        {
            isDone = new bool[probabilities.Length];
        }
        Array.Clear(isDone, 0, probabilities.Length);
        var found = new List<WorkerTextBox>();
        for (var start = 0; start < probabilities.Length; start++)
        {
            // Written so that what is no number is not above the threshold.
            if (probabilities[start] > Threshold && !isDone[start] && Trace(probabilities, width, start) is var (left, top, right, bottom, mean)
                && mean > LeastConfidence && Math.Min(right - left, bottom - top) >= LeastSide && ToBox(left - margin, top - margin, right - margin, bottom - margin, columns, rows) is { } box)
            {
                found.Add(box with { Confidence = (float)Math.Min(mean, 1) });
            }
        }
        return found;
    }

    /// <summary>One component, all eight neighbours counted.</summary>
    private (int Left, int Top, int Right, int Bottom, double Mean) Trace(ReadOnlySpan<float> probabilities, int width, int start)
    {
        var height = probabilities.Length / width;
        var (left, top, right, bottom) = (int.MaxValue, int.MaxValue, 0, 0);
        var sum = 0.0;
        pending.Clear();
        pending.Add(start);
        isDone[start] = true;
        for (var next = 0; next < pending.Count; next++)
        {
            var (y, x) = Math.DivRem(pending[next], width);
            sum += probabilities[pending[next]];
            (left, top, right, bottom) = (Math.Min(left, x), Math.Min(top, y), Math.Max(right, x + 1), Math.Max(bottom, y + 1));
            for (var nearY = Math.Max(y - 1, 0); nearY <= Math.Min(y + 1, height - 1); nearY++)
            {
                for (var nearX = Math.Max(x - 1, 0); nearX <= Math.Min(x + 1, width - 1); nearX++)
                {
                    var near = (nearY * width) + nearX;
                    if (!isDone[near] && probabilities[near] > Threshold)
                    {
                        isDone[near] = true;
                        pending.Add(near);
                    }
                }
            }
        }
        return (left, top, right, bottom, sum / pending.Count);
    }

    private static WorkerTextBox? ToBox(int left, int top, int right, int bottom, int columns, int rows)
    {
        var (width, height) = (right - left, bottom - top);
        var growth = (int)Math.Ceiling((double)width * height * Growth / (2 * (width + height)));
        (left, top) = (Math.Max(left - growth, 0), Math.Max(top - growth, 0));
        (right, bottom) = (Math.Min(right + growth, columns), Math.Min(bottom + growth, rows));
        return left < right && top < bottom ? new WorkerTextBox { X = left, Y = top, Width = right - left, Height = bottom - top } : null;
    }
}
