using System.Runtime.InteropServices;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Pixels;
using Sidecar.Dicom.Text.Kinds;

namespace Sidecar.Dicom.Text;

/// <summary>
/// Finds burned-in text in the instances of a series. Frames that are equal are looked at once, and frames of one size in groups
/// (<see cref="FrameGroup"/>), so that text that is on all slices costs little more than text on one.
/// </summary>
/// <param name="codecs">For compressed frames.</param>
/// <param name="detector">Finds lines; null where none is installed, so that a weaker way stands in.</param>
/// <param name="reader">Reads them; null: found lines are of no known kind.</param>
/// <param name="harmless">Markings that tell nothing about a person; the built-in ones where not given.</param>
public sealed class SeriesScanner(FrameCodecs codecs, ITextDetector? detector, ITextReader? reader = null, HarmlessWords? harmless = null) : ISeriesScanner
{
    private readonly LineSorter sorter = new(reader, harmless ?? HarmlessWords.Load());

    /// <summary>Frames looked at together: more hide text of one frame behind what is brighter in another.</summary>
    private const int GroupFrames = 32;

    /// <summary>The same for frames of one instance, a loop: they are more alike than the slices of a volume.</summary>
    private const int LoopFrames = 64;

    /// <summary>Fewer frames at the end of a loop are looked at with those before them: they would cost as much as a whole group.</summary>
    private const int FewFrames = 8;

    /// <summary>Pixels of all frames of a group, which are in memory three times: two groups being looked at and the one being decoded.</summary>
    private const int GroupPixels = 36 << 20;

    private static readonly LineCandidates Weak = new();

    public string Engine => IsWeak ? "line candidates, rules 5" : "PP-OCRv4 detection, rules 5";

    public bool IsWeak => detector is null;

    public IReadOnlyList<InstanceScan> Scan(IReadOnlyList<IScanSource> instances, CancellationToken token)
    {
        var run = new Run(instances.Count, new LineFinder(detector ?? Weak), sorter, token);
        for (var i = 0; i < instances.Count; i++)
        {
            token.ThrowIfCancellationRequested();
            ReadInstance(run, i, instances[i], token);
        }
        run.Finish();
        return [.. instances.Select((instance, i) => run.ResultOf(i, instance.Name))];
    }

    private void ReadInstance(Run run, int index, IScanSource source, CancellationToken token)
    {
        try
        {
            using var reader = FrameReader.Open(source, codecs, token);
            run.Layouts[index] = reader.Layout;
            run.Known.Add(reader.File);
            for (var first = 0; first < reader.Layout.Frames; first += Environment.ProcessorCount)
            {
                var images = new FrameImage[Math.Min(Environment.ProcessorCount, reader.Layout.Frames - first)];
                ParallelLoop.Run(0, images.Length, i => images[i] = reader.ReadFrame(first + i), token);
                for (var i = 0; i < images.Length; i++)
                {
                    run.Add(new FramePlace(index, first + i), images[i], reader.Layout);
                }
            }
        }
        catch (UnsupportedInstanceException refusal)
        {
            run.Refusals[index] = (ScanStatus.Unsupported, refusal.Message);
        }
        catch (DicomFormatException damage)
        {
            run.Refusals[index] = (ScanStatus.Damaged, damage.Message);
        }
    }

    /// <summary>One call's state.</summary>
    private sealed class Run(int instances, LineFinder finder, LineSorter sorter, CancellationToken token)
    {
        private readonly SeriesLines lines = new();
        private readonly Dictionary<(ulong Hash, PixelLayout Layout), EqualFrames> seen = [];
        private readonly List<(FrameImage Image, EqualFrames Equal)> group = [];
        private readonly List<(EqualFrames Equal, string Reason)> failed = [];
        private readonly HashSet<PixelLayout> lookedAt = [];
        private PixelLayout? groupLayout;
        private int groupInstance;
        private bool isLoop;
        private Task looking = Task.CompletedTask;
        private Task lookedAtBefore = Task.CompletedTask;

        /// <summary>What all instances say about themselves.</summary>
        public KnownValues Known { get; } = new();

        public PixelLayout?[] Layouts { get; } = new PixelLayout?[instances];

        public (ScanStatus Status, string Reason)?[] Refusals { get; } = new (ScanStatus, string)?[instances];

        public void Add(FramePlace place, FrameImage image, PixelLayout layout)
        {
            layout = layout with { Frames = 1 };
            var key = (XxHash64.Hash(MemoryMarshal.AsBytes(image.Grey.AsSpan())) ^ (image.Chroma is { } chroma ? XxHash64.Hash(chroma.Blue) + (3 * XxHash64.Hash(chroma.Red)) : 0) ^ (image.Overlay is { } overlay ? 5 * XxHash64.Hash(overlay) : 0), layout);
            if (seen.TryGetValue(key, out var equal))
            {
                equal.Places.Add(place);
                return;
            }
            if (group.Count > 0 && (groupLayout != layout || group.Count >= (isLoop && groupInstance == place.Instance ? FramesOfGroup(place) : GroupFrames) || (group.Count + 1L) * image.Grey.Length > GroupPixels
                || (group[0].Image.Chroma is null) != (image.Chroma is null)))
            {
                LookAtGroup();
            }
            (isLoop, groupInstance) = ((group.Count == 0 || isLoop) && (group.Count == 0 || groupInstance == place.Instance), place.Instance);
            groupLayout = layout;
            equal = new EqualFrames { Places = { place } };
            seen.Add(key, equal);
            group.Add((image, equal));
        }

        private int FramesOfGroup(FramePlace place) => Layouts[place.Instance]!.Frames - place.Frame <= FewFrames ? LoopFrames + FewFrames : LoopFrames;

        /// <summary>Looks at what is left and waits for the end.</summary>
        public void Finish()
        {
            LookAtGroup();
            lookedAtBefore.GetAwaiter().GetResult();
            looking.GetAwaiter().GetResult();
            foreach (var (place, reason) in failed.SelectMany(frame => frame.Equal.Places.Select(place => (place, frame.Reason))))
            {
                Refusals[place.Instance] ??= (ScanStatus.Failed, reason);
            }
        }

        public InstanceScan ResultOf(int instance, string name) => new()
        {
            Name = name,
            Status = Refusals[instance]?.Status ?? ScanStatus.Scanned,
            Reason = Refusals[instance]?.Reason,
            Frames = Layouts[instance]?.Frames ?? 0,
            Findings = Layouts[instance] is { } layout ? lines.FindingsOf(instance, layout, readings => sorter.Sort(readings, Known)) : [],
        };

        /// <summary>Starts on the frames gathered, while the next are decoded and the group before is at its end. Groups are written down in their order.</summary>
        private void LookAtGroup()
        {
            if (group.Count == 0)
            {
                return;
            }
            var frames = group.ToList();
            group.Clear();
            var isThorough = lookedAt.Add(groupLayout!);
            lookedAtBefore.GetAwaiter().GetResult();
            (lookedAtBefore, var before) = (looking, looking);
            var find = Task.Run(() => Find(frames, isThorough), token);
            looking = Task.Run(
                async () =>
                {
                    await before;
                    Record(await find);
                },
                token);
        }

        private List<Look> Find(List<(FrameImage Image, EqualFrames Equal)> frames, bool isThorough)
        {
            try
            {
                return [new Look(frames, new FrameGroup([.. frames.Select(frame => frame.Image)], finder, isThorough).Find(token), null)];
            }
            catch (ScanFailedException failure) when (frames.Count == 1)
            {
                return [new Look(frames, [], failure.Message)];
            }
            catch (ScanFailedException)
            {
                // One of them, or all together: each by itself then, so that one frame costs one frame.
                return [.. frames.SelectMany(frame => Find([frame], isThorough))];
            }
        }

        private void Record(List<Look> looks)
        {
            foreach (var (frames, found, failure) in looks)
            {
                if (failure is not null)
                {
                    failed.Add((frames[0].Equal, failure));
                    continue;
                }
                var readings = new LineReading?[found.Count];
                ParallelLoop.Run(0, readings.Length, i =>
                {
                    var (line, at) = found[i];
                    readings[i] = lines.WantsReading(line) && !HoldsLines(line, found) ? sorter.Read(frames[at[at.Count / 2]].Image, line.Region, token) : null;
                }, token);
                for (var i = 0; i < readings.Length; i++)
                {
                    lines.Add(found[i].Line, found[i].Frames.Select(frame => frames[frame].Equal), readings[i]);
                }
            }
        }

        /// <summary>A box over several lines cannot be read as one; they are read instead, and count for it (<see cref="SeriesLines"/>).</summary>
        private static bool HoldsLines(FoundLine box, List<(FoundLine Line, IReadOnlyList<int> Frames)> found)
        {
            List<Region> held = [.. found.Select(other => other.Line).Where(other => other != box && SeriesLines.LiesIn(other.Region, box.Region)).Select(other => other.Region)];
            return held.Count > 1 && held.Sum(region => (long)region.Width * region.Height) * 2 > (long)box.Region.Width * box.Region.Height;
        }

        /// <summary>What was found in frames, or why it could not be looked for.</summary>
        private sealed record Look(List<(FrameImage Image, EqualFrames Equal)> Frames, List<(FoundLine Line, IReadOnlyList<int> Frames)> Found, string? Failure);
    }
}
