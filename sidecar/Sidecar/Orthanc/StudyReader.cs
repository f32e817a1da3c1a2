using System.Globalization;
using System.Text;

namespace Sidecar.Orthanc;

/// <summary>What is known of one stored instance without opening its pixels.</summary>
internal sealed record StoredInstance
{
    public required OrthancId Id { get; init; }

    public required string StudyInstanceUid { get; init; }

    public required string SeriesInstanceUid { get; init; }

    public required string SopInstanceUid { get; init; }

    public required string Modality { get; init; }

    public int? InstanceNumber { get; init; }

    /// <summary>Null where the instance is not an image.</summary>
    public int? Rows { get; init; }

    public int? Columns { get; init; }

    public required int NumberOfFrames { get; init; }

    public required bool HasPixelData { get; init; }

    /// <summary>Empty where Orthanc does not know it.</summary>
    public required string TransferSyntaxUid { get; init; }

    /// <summary>Another one each time the instance is stored, by whomever.</summary>
    public required string FileUuid { get; init; }
}

/// <summary>Lists what a study holds, in two requests per series. The longer one lets Orthanc read the header of each file.</summary>
internal sealed class StudyReader(OrthancClient orthanc)
{
    // The name of Orthanc's metadata.
    private const string TransferSyntax = "TransferSyntax";

    /// <summary>Orthanc's ids of the studies with this UID: none, one, or several when patients share it.</summary>
    public async Task<IReadOnlyList<OrthancId>> FindStudies(string studyInstanceUid, CancellationToken token) =>
        [.. (await orthanc.Lookup(studyInstanceUid, token)).Where(a => a.Type == "Study").Select(a => new OrthancId(a.Id))];

    /// <summary>Series Instance UID and Orthanc's id of each series.</summary>
    public async Task<IReadOnlyDictionary<string, OrthancId>> ReadSeries(OrthancId study, CancellationToken token) =>
        (await orthanc.ReadSeriesOf(study, token))
            .Where(s => s.MainDicomTags?.ContainsKey("SeriesInstanceUID") == true)
            .ToDictionary(s => s.MainDicomTags!["SeriesInstanceUID"], s => new OrthancId(s.Id));

    /// <summary>Series and files of a study, in two requests.</summary>
    public async Task<StudyContents> ReadContents(ResourceAnswer study, CancellationToken token)
    {
        var id = new OrthancId(study.Id);
        var files = (await orthanc.ReadInstancesOfStudy(id, token)).ToLookup(i => i.ParentSeries);
        return new StudyContents(
            id,
            study.MainDicomTags?.GetValueOrDefault("StudyInstanceUID")?.Trim() ?? "",
            study.MainDicomTags?.GetValueOrDefault("StudyDate"),
            [
                .. (await orthanc.ReadSeriesOf(id, token)).Select(s => new SeriesContents(
                    new OrthancId(s.Id),
                    s.MainDicomTags?.GetValueOrDefault("SeriesInstanceUID")?.Trim() ?? "",
                    s.MainDicomTags?.GetValueOrDefault("Modality"),
                    s.MainDicomTags?.GetValueOrDefault("StationName"),
                    [.. files[s.Id].Select(StoredFile.Of)])),
            ]);
    }

    /// <summary>The instances of one series, in the order of InstanceNumber.</summary>
    public async Task<IReadOnlyList<StoredInstance>> ReadInstances(OrthancId series, CancellationToken token)
    {
        var tags = await orthanc.ReadInstanceTags(series, token);
        var files = (await orthanc.ReadFilesOf(tags.Keys, token)).ToDictionary(i => i.Id);
        var found = tags.Select(i => (i.Key, i.Value, File: files.GetValueOrDefault(i.Key))).Select(i => Read(i.Key, i.Value, i.File?.FileUuid, i.File?.Metadata?.TransferSyntax));
        return [.. found.OrderBy(i => i.InstanceNumber ?? int.MaxValue).ThenBy(i => i.SopInstanceUid, StringComparer.Ordinal)];
    }

    /// <summary>One instance by its UID within a study known to Orthanc as <paramref name="study"/>; null where it is not there.</summary>
    public async Task<StoredInstance?> FindInstance(OrthancId study, string sopInstanceUid, CancellationToken token)
    {
        foreach (var answer in await orthanc.Lookup(sopInstanceUid, token))
        {
            if (answer.Type == "Instance")
            {
                var id = new OrthancId(answer.Id);
                var parent = await orthanc.ReadResource(OrthancLevel.Instances, id, token);
                var series = await orthanc.ReadResource(OrthancLevel.Series, new OrthancId(parent.ParentSeries!), token);
                if (series.ParentStudy == study.Value)
                {
                    var tags = await orthanc.ReadNeededTags(id, token);
                    var syntax = await orthanc.FindMetadata(OrthancLevel.Instances, id, TransferSyntax, token);
                    return Read(parent.Id, tags, parent.FileUuid, syntax is null ? null : Encoding.ASCII.GetString(syntax));
                }
            }
        }

        return null;
    }

    private static StoredInstance Read(string id, InstanceTags tags, string? fileUuid, string? transferSyntaxUid) => new()
    {
        Id = new OrthancId(id),
        StudyInstanceUid = tags.StudyInstanceUid ?? "",
        SeriesInstanceUid = tags.SeriesInstanceUid ?? "",
        SopInstanceUid = tags.SopInstanceUid ?? "",
        Modality = tags.Modality ?? "",
        InstanceNumber = Number(tags.InstanceNumber),
        Rows = Number(tags.Rows),
        Columns = Number(tags.Columns),
        NumberOfFrames = Number(tags.NumberOfFrames) ?? 1,
        HasPixelData = tags.PixelData || tags.FloatPixelData || tags.DoubleFloatPixelData,
        TransferSyntaxUid = transferSyntaxUid ?? "",
        FileUuid = fileUuid ?? throw new OrthancException($"Orthanc does not tell which file it holds of instance {id}; it may just have been deleted. Try again."),
    };

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;
}
