using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Text;

namespace Sidecar.Commands;

/// <summary>Scans a list of files, those of one series together.</summary>
internal sealed class ScanRun(ISeriesScanner scanner, IReadOnlyList<InputFile> files, bool showText, ResultLines report)
{
    private static readonly DicomTag SeriesInstanceUid = new(0x0020000E);

    /// <summary>Whether every file was scanned.</summary>
    public bool ScanAll(CancellationToken token)
    {
        var allScanned = true;
        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = token };
        var series = files.GroupBy(ReadSeries, StringComparer.Ordinal).Select(group => group.ToList()).ToList();
        try
        {
            Parallel.ForEach(Partitioner.Create(series, EnumerablePartitionerOptions.NoBuffering), options, group =>
            {
                if (!ScanSeries(group, token))
                {
                    Volatile.Write(ref allScanned, false);
                }
            });
        }
        catch (AggregateException several)
        {
            // A stop, or a results file that cannot be written: each file's own misfortune is in its line.
            ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }
        return allScanned;
    }

    private bool ScanSeries(List<InputFile> group, CancellationToken token)
    {
        var allScanned = true;
        foreach (var (file, scan) in group.Zip(Scan(group, token)))
        {
            allScanned &= scan.Status == ScanStatus.Scanned;
            report.Write(json => Write(json, file, scan), scan.Status == ScanStatus.Scanned);
        }
        return allScanned;
    }

    private IReadOnlyList<InstanceScan> Scan(List<InputFile> group, CancellationToken token)
    {
        try
        {
            return scanner.Scan([.. group.Select(file => new ScannedFile(file))], token);
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException && group.Count > 1)
        {
            // One file that cannot be read must not cost the others of its series their findings.
            return [.. group.SelectMany(file => Scan([file], token))];
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
        {
            return [Fail(group[0], $"The file cannot be read: {broken.Message}")];
        }
        catch (Exception bug) when (bug is not OperationCanceledException)
        {
            return group.Count > 1 ? [.. group.SelectMany(file => Scan([file], token))]
                : [Fail(group[0], $"This is a fault of this software, please report it with the file's kind: {bug.GetType().Name} in {bug.TargetSite?.DeclaringType?.Name}.")];
        }
    }

    private static InstanceScan Fail(InputFile file, string reason) => new() { Name = file.Name, Status = ScanStatus.Failed, Reason = reason };

    /// <summary>A file whose series cannot be told is a series of its own; the scanner says what is wrong with it.</summary>
    private static string ReadSeries(InputFile file)
    {
        try
        {
            using var stream = new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.Read);
            var meta = FileMeta.Read(stream);
            return Part10File.Read(stream, meta).ReadText(SeriesInstanceUid) ?? file.Path;
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException or DicomFormatException)
        {
            return file.Path;
        }
    }

    private void Write(Utf8JsonWriter json, InputFile file, InstanceScan scan)
    {
        json.WriteStartObject();
        json.WriteString("file", file.Name);
        json.WriteString("status", scan.Status switch { ScanStatus.Scanned => "scanned", ScanStatus.Unsupported => "unsupported", _ => "failed" });
        json.WriteString("reason", scan.Reason);
        json.WriteNumber("frames", scan.Frames);
        json.WriteString("engine", scanner.Engine);
        json.WriteBoolean("isWeak", scanner.IsWeak);
        json.WriteStartArray("findings");
        foreach (var finding in scan.Findings)
        {
            foreach (var frame in finding.Frames?.Select(frame => (int?)frame + 1) ?? [null])
            {
                Write(json, finding, frame);
            }
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, ScanFinding finding, int? frame)
    {
        json.WriteStartObject();
        if (frame is { } number)
        {
            json.WriteNumber("frame", number);
        }
        else
        {
            json.WriteNull("frame");
        }
        json.WriteNumber("x", finding.Region.X);
        json.WriteNumber("y", finding.Region.Y);
        json.WriteNumber("width", finding.Region.Width);
        json.WriteNumber("height", finding.Region.Height);
        json.WriteNumber("confidence", Math.Round(finding.Confidence, 3));
        json.WriteString("kind", WordOf(finding.Kind));
        json.WriteString("matchedAttribute", finding.MatchedAttribute);
        if (showText)
        {
            json.WriteString("text", finding.Text);
        }
        json.WriteEndObject();
    }

    private static string WordOf(FindingKind kind) => kind switch
    {
        FindingKind.PersonName => "personName",
        FindingKind.Date => "date",
        FindingKind.Identifier => "identifier",
        FindingKind.Institution => "institution",
        FindingKind.Harmless => "harmless",
        _ => "other",
    };

    private sealed class ScannedFile(InputFile file) : IScanSource
    {
        public string Name => file.Name;

        public Stream Open() => new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16);
    }
}
