using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;

namespace Sidecar.Dicom.Text;

/// <summary>Finds burned-in text in the instances of a series.</summary>
/// <param name="codecs">For compressed frames.</param>
/// <param name="detector">Finds lines; null where none is installed.</param>
public sealed class SeriesScanner(FrameCodecs codecs, ITextDetector? detector) : ISeriesScanner
{
    public string Engine => "1";

    public bool IsWeak => detector is null;

    public IReadOnlyList<InstanceScan> Scan(IReadOnlyList<IScanSource> instances, CancellationToken token) =>
        [.. instances.Select(instance => ScanInstance(instance, token))];

    private InstanceScan ScanInstance(IScanSource source, CancellationToken token)
    {
        try
        {
            var finder = new LineFinder(detector ?? throw new ScanFailedException("The text detector is not installed."));
            using var reader = FrameReader.Open(source, codecs, token);
            var findings = new List<ScanFinding>();
            for (var frame = 0; frame < reader.Layout.Frames; frame++)
            {
                token.ThrowIfCancellationRequested();
                findings.AddRange(finder.Find(reader.ReadFrame(frame), token).Select(line => new ScanFinding
                {
                    Region = line.Region,
                    Confidence = line.Confidence,
                    Frames = reader.Layout.Frames == 1 ? null : [frame],
                }));
            }
            return new InstanceScan { Name = source.Name, Status = ScanStatus.Scanned, Frames = reader.Layout.Frames, Findings = findings };
        }
        catch (UnsupportedInstanceException refusal)
        {
            return new InstanceScan { Name = source.Name, Status = ScanStatus.Unsupported, Reason = refusal.Message };
        }
        catch (Exception failure) when (failure is DicomFormatException or ScanFailedException)
        {
            return new InstanceScan { Name = source.Name, Status = ScanStatus.Failed, Reason = failure.Message };
        }
    }
}
