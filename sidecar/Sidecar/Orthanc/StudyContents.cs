namespace Sidecar.Orthanc;

/// <summary>What a study at rest holds, without opening a file.</summary>
internal sealed record StudyContents(OrthancId Id, string StudyInstanceUid, string? StudyDate, IReadOnlyList<SeriesContents> Series)
{
    public IEnumerable<StoredFile> Files => Series.SelectMany(s => s.Files);
}

internal sealed record SeriesContents(OrthancId Id, string SeriesInstanceUid, string? Modality, string? Station, IReadOnlyList<StoredFile> Files);

/// <param name="Id">Of the instance.</param>
/// <param name="SopInstanceUid">Its UID.</param>
/// <param name="Number">InstanceNumber.</param>
/// <param name="Uuid">Another one each time the instance is stored, by whomever.</param>
/// <param name="Bytes">Size of the file.</param>
internal sealed record StoredFile(OrthancId Id, string SopInstanceUid, int? Number, string Uuid, long Bytes)
{
    /// <exception cref="OrthancException">Orthanc does not say which file it holds.</exception>
    public static StoredFile Of(ResourceAnswer instance) => new(
        new OrthancId(instance.Id),
        instance.MainDicomTags?.GetValueOrDefault("SOPInstanceUID")?.Trim() ?? "",
        int.TryParse(instance.MainDicomTags?.GetValueOrDefault("InstanceNumber"), out var number) ? number : null,
        instance.FileUuid ?? throw new OrthancException($"Orthanc does not tell which file it holds of instance {instance.Id}; it may just have been deleted."),
        instance.FileSize);
}

/// <summary>Is told of each study that came to rest after a change. Told twice of the same, it does nothing the second time.</summary>
internal interface IStudyWatcher
{
    /// <param name="study">As it is now.</param>
    /// <param name="isBacklog">It was in the archive before this service first saw it.</param>
    /// <param name="token">Ends the work.</param>
    /// <returns>False where the study cannot be judged yet: it is shown again later.</returns>
    Task<bool> Look(StudyContents study, bool isBacklog, CancellationToken token);

    /// <summary>The study is not in the archive any more.</summary>
    Task Forget(OrthancId study, CancellationToken token);
}
