using System.Diagnostics;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Masking;
using Sidecar.Dicom.Text;
using Sidecar.Workers;

namespace Sidecar.Benchmarks.Text;

/// <summary>How much of the known text of a set is found, what is made up, and how long it takes; beside the `tesseract` command on the same frames.</summary>
internal static class TextBenchmark
{
    /// <summary>Of a study every so many frames go through `tesseract`; its time is that many times as long.</summary>
    private const int StudySample = 25;

    public static void Run(string directory, bool withTesseract)
    {
        var models = new TextModelOptions();
        var options = new WorkerOptions();
        using var codecPool = new CodecWorkerPool(options, new Quarantine());
        using var textPool = TextScanning.CreatePool(options, models);
        var codecs = NativeCodecs.AddTo(FrameCodecs.Managed, codecPool);
        var detector = new CountingDetector(textPool);
        var scanner = new SeriesScanner(codecs, textPool.HasDetector ? detector : null, textPool);
        Console.WriteLine($"Engine {scanner.Engine}{(scanner.IsWeak ? ", WEAK MODE" : "")}; {textPool.DescribeLibraries()}");
        MeasureSet(TruthSet.Read(directory), scanner, detector, codecs, () => Processor(codecPool.ProcessIds, textPool.ProcessIds), withTesseract);
        var studies = Path.Combine(directory, "studies");
        foreach (var study in Directory.Exists(studies) ? Directory.GetDirectories(studies).Order(StringComparer.Ordinal).ToArray() : [])
        {
            MeasureStudy(study, scanner, detector, codecs, () => Processor(codecPool.ProcessIds, textPool.ProcessIds), withTesseract);
        }
    }

    private static void MeasureSet(TruthSet set, SeriesScanner scanner, CountingDetector detector, FrameCodecs codecs, Func<TimeSpan> processor, bool withTesseract)
    {
        var (ours, plain, doubled) = (new Recall(), new Recall(), new Recall());
        var (wall, before, tesseractTime, frames) = (new Stopwatch(), processor(), TimeSpan.Zero, 0);
        foreach (var image in set.WithText.Concat(set.WithoutText))
        {
            wall.Start();
            var scan = scanner.Scan([image], CancellationToken.None)[0];
            wall.Stop();
            frames += Math.Max(1, scan.Frames);
            if (scan.Status != ScanStatus.Scanned)
            {
                Console.WriteLine($"    not scanned: {image.Name}: {scan.Reason}");
            }
            ours.Add(image, scan.Status == ScanStatus.Scanned ? [.. scan.Findings.Select(finding => new Claim(finding.Region, finding.Frames, finding.Confidence))] : null);
        }
        var oursTime = processor() - before;
        foreach (var image in withTesseract ? set.WithText.Concat(set.WithoutText) : [])
        {
            var (one, two, time) = RunTesseract(image, codecs);
            plain.Add(image, one);
            doubled.Add(image, two);
            tesseractTime += time;
        }
        Recall.WriteHead(Console.Out);
        ours.Write(Console.Out, "all findings");
        foreach (var least in (double[])[0.5, 0.6, 0.7, 0.8, 0.9])
        {
            ours.Write(Console.Out, FormattableString.Invariant($"findings of confidence >= {least:0.0}"), least);
        }
        if (withTesseract)
        {
            plain.Write(Console.Out, "tesseract, PSM 3, 1x");
            doubled.Write(Console.Out, "tesseract, PSM 3, 2x");
        }
        Console.WriteLine(FormattableString.Invariant($"{frames} frames: {wall.Elapsed.TotalSeconds:0.0} s, processor {oursTime.TotalSeconds:0.0} s, {detector.Units:0} units{(withTesseract ? FormattableString.Invariant($"; tesseract on every frame, 2x: processor {tesseractTime.TotalSeconds:0.0} s, {tesseractTime / oursTime:0.0} times as long") : "")}"));
        ours.WriteLosses(Console.Out);
    }

    /// <summary>Its claims at 1x and at 2x on every frame, and the processor time at 2x.</summary>
    private static (IReadOnlyList<Claim>? One, IReadOnlyList<Claim>? Two, TimeSpan Time) RunTesseract(KnownImage image, FrameCodecs codecs)
    {
        var folder = Directory.CreateTempSubdirectory("text-benchmark-").FullName;
        try
        {
            using var reader = FrameReader.Open(image, codecs, CancellationToken.None);
            var (one, two, time) = (new List<Claim>(), new List<Claim>(), TimeSpan.Zero);
            for (var frame = 0; frame < reader.Layout.Frames; frame++)
            {
                var view = Rendering.RenderAll(reader.ReadFrame(frame))[0];
                foreach (var (scale, claims) in ((int, List<Claim>)[])[(1, one), (2, two)])
                {
                    var (found, took) = PlainTesseract.Run(view, scale, folder);
                    claims.AddRange((found ?? []).Select(claim => claim with { Frames = [frame] }));
                    time += scale == 2 ? took : TimeSpan.Zero;
                }
            }
            return (one, two, time);
        }
        catch (Exception refused) when (refused is DicomFormatException or UnsupportedInstanceException)
        {
            return (null, null, TimeSpan.Zero);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void MeasureStudy(string directory, SeriesScanner scanner, CountingDetector detector, FrameCodecs codecs, Func<TimeSpan> processor, bool withTesseract)
    {
        List<KnownImage> images = [.. Directory.GetFiles(directory).Order(StringComparer.Ordinal).Select(path => new KnownImage(path, Path.GetFileName(path), []))];
        var (wall, before, unitsBefore, ownBefore) = (Stopwatch.StartNew(), processor(), detector.Units, Process.GetCurrentProcess().TotalProcessorTime);
        var scans = scanner.Scan(images, CancellationToken.None);
        var (elapsed, oursTime, own) = (wall.Elapsed, processor() - before, Process.GetCurrentProcess().TotalProcessorTime - ownBefore);
        var frames = scans.Sum(scan => scan.Frames);
        Console.Write(FormattableString.Invariant(
            $"study {Path.GetFileName(directory)}: {frames} frames, {elapsed.TotalSeconds:0.0} s, processor {oursTime.TotalSeconds:0.0} s (workers {(oursTime - own).TotalSeconds:0.0} s, the rest reads, decodes and renders), {detector.Units - unitsBefore:0} units, images with findings {scans.Count(scan => scan.Findings.Count > 0)} of {scans.Count}, not scanned {scans.Count(scan => scan.Status != ScanStatus.Scanned)}"));
        if (withTesseract)
        {
            var (sampled, time) = (0, TimeSpan.Zero);
            var folder = Directory.CreateTempSubdirectory("text-benchmark-").FullName;
            var at = 0;
            foreach (var image in images)
            {
                using var reader = FrameReader.Open(image, codecs, CancellationToken.None);
                for (var frame = 0; frame < reader.Layout.Frames; frame++, at++)
                {
                    if (at % StudySample == 0)
                    {
                        time += PlainTesseract.Run(Rendering.RenderAll(reader.ReadFrame(frame))[0], 2, folder).Processor;
                        sampled++;
                    }
                }
            }
            Directory.Delete(folder, recursive: true);
            var whole = time * frames / sampled;
            Console.Write(FormattableString.Invariant($"; tesseract on every frame, 2x: processor {whole.TotalSeconds:0} s (from {sampled} frames), {whole / oursTime:0} times as long"));
        }
        Console.WriteLine();
    }

    /// <summary>Of this process and of its workers. Workers that ended are not counted.</summary>
    private static TimeSpan Processor(params IReadOnlyList<int>[] workers)
    {
        var sum = Process.GetCurrentProcess().TotalProcessorTime;
        foreach (var id in workers.SelectMany(ids => ids))
        {
            using var worker = Process.GetProcessById(id);
            sum += worker.TotalProcessorTime;
        }
        return sum;
    }
}
