using Sidecar.Orthanc;

namespace Sidecar.Scans;

/// <summary>Makes rows of the queue out of series.</summary>
internal sealed class SeriesSorter(OrthancClient orthanc)
{
    public async Task<IReadOnlyList<ScanWork>> Sort(StudyContents study, IEnumerable<SeriesContents> series, CancellationToken token)
    {
        List<ScanWork> works = [];
        foreach (var one in series.Where(s => s.Files.Count > 0))
        {
            using var tags = await orthanc.ReadTags(one.Files[0].Id, token);
            works.Add(new ScanWork
            {
                StudyInstanceUid = study.StudyInstanceUid,
                StudyOrthancId = study.Id.Value,
                SeriesInstanceUid = one.SeriesInstanceUid,
                SeriesOrthancId = one.Id.Value,
                Risk = HeaderRisk.Of(tags.RootElement),
                Instances = one.Files.Count,
            });
        }

        return works;
    }
}
