using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Sidecar.Dicom.Masking;
using Sidecar.Storage;

namespace Sidecar.Orthanc;

/// <summary>What hangs on one resource and is lost when Orthanc stores its last instance again.</summary>
internal sealed record ResourceSnapshot
{
    public required OrthancLevel Level { get; init; }

    public required string Id { get; init; }

    /// <summary>Users' metadata, byte for byte.</summary>
    public required IReadOnlyDictionary<string, byte[]> Metadata { get; init; }

    /// <summary>Orthanc's own metadata, which nobody can write back; kept to be told.</summary>
    public required IReadOnlyDictionary<string, string> SystemMetadata { get; init; }

    public required IReadOnlyList<AttachmentSnapshot> Attachments { get; init; }

    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Patients only: kept from recycling.</summary>
    public bool Protected { get; init; }

    /// <summary>Number of children: a parent with one child dies and is born again when that child is stored.</summary>
    public int Children { get; init; }
}

internal sealed record AttachmentSnapshot(int Number, string File);

/// <summary>Patient, study and series of a job, as they were before its first write.</summary>
internal sealed record ParentsRecord(IReadOnlyList<ResourceSnapshot> Parents);

/// <summary>One instance that is about to be, or was, stored again. While this record is on disk, its two files are too.</summary>
internal sealed record InstanceRecord
{
    public required string JobId { get; init; }

    public required ResourceSnapshot Instance { get; init; }

    /// <summary>Uuid and MD5 of the original in Orthanc.</summary>
    public required string Uuid { get; init; }

    public required string Md5 { get; init; }

    public required string MaskedMd5 { get; init; }

    public required MaskProof Proof { get; init; }

    [JsonIgnore]
    public OrthancId Id => new(Instance.Id);
}

internal enum SpoolFile
{
    Original,
    Masked,
}

/// <summary>
/// The files that make a replacement survive a crash: a folder a job, readable by the service's user alone. This class is the only one that
/// opens them. Originals stay until the masked instance is verified, and are deleted then.
/// </summary>
internal sealed class ReplacementJournal(IOptions<StorageOptions> storage)
{
    private const string RecordSuffix = ".json";
    private const string ParentsFile = "parents.json";

    private string Root => storage.Value.JournalDirectory;

    /// <summary>A new empty file of an instance, readable and writable.</summary>
    public FileStream CreateSpool(string job, OrthancId instance, SpoolFile file)
    {
        PrivateFiles.CreateFolder(Root);
        PrivateFiles.CreateFolder(FolderOf(job));
        return PrivateFiles.Create(SpoolPath(job, instance, file));
    }

    public FileStream OpenSpool(string job, OrthancId instance, SpoolFile file) =>
        new(SpoolPath(job, instance, file), new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, BufferSize = 0 });

    /// <summary>Size of the masked file, in bytes.</summary>
    public long SizeOf(InstanceRecord record) => new FileInfo(SpoolPath(record.JobId, record.Id, SpoolFile.Masked)).Length;

    public void DeleteSpools(string job, OrthancId instance)
    {
        File.Delete(SpoolPath(job, instance, SpoolFile.Masked));
        File.Delete(SpoolPath(job, instance, SpoolFile.Original));
    }

    /// <summary>A file for an attachment's content; its name goes into the snapshot.</summary>
    public FileStream CreateAttachment(string job, string name)
    {
        PrivateFiles.CreateFolder(Root);
        PrivateFiles.CreateFolder(FolderOf(job));
        return PrivateFiles.Create(Path.Combine(FolderOf(job), name));
    }

    public FileStream OpenAttachment(string job, string name) => File.OpenRead(Path.Combine(FolderOf(job), name));

    /// <summary>Puts the record on disk; returns when it would survive a power cut. Only then may Orthanc be written to.</summary>
    public void Open(InstanceRecord record) => WriteDurably(RecordPath(record.JobId, record.Id), JsonSerializer.SerializeToUtf8Bytes(record, JournalJson.Default.InstanceRecord));

    public InstanceRecord? FindRecord(string job, OrthancId instance) => Read(RecordPath(job, instance), JournalJson.Default.InstanceRecord);

    /// <summary>Deletes the record, then its files: a crash in between leaves files that no record needs, which the next start sweeps.</summary>
    public void Close(InstanceRecord record)
    {
        File.Delete(RecordPath(record.JobId, record.Id));
        foreach (var attachment in record.Instance.Attachments)
        {
            File.Delete(Path.Combine(FolderOf(record.JobId), attachment.File));
        }

        DeleteSpools(record.JobId, record.Id);
    }

    public ParentsRecord? FindParents(string job) => Read(Path.Combine(FolderOf(job), ParentsFile), JournalJson.Default.ParentsRecord);

    public void OpenParents(string job, ParentsRecord parents)
    {
        PrivateFiles.CreateFolder(Root);
        PrivateFiles.CreateFolder(FolderOf(job));
        WriteDurably(Path.Combine(FolderOf(job), ParentsFile), JsonSerializer.SerializeToUtf8Bytes(parents, JournalJson.Default.ParentsRecord));
    }

    /// <summary>Removes what is left of a job whose instances are all closed and whose parents are restored.</summary>
    /// <exception cref="InvalidOperationException">An instance of it is still open: its original may be the only copy.</exception>
    public void CloseJob(string job)
    {
        if (!Directory.Exists(FolderOf(job)))
        {
            return;
        }

        if (OpenRecords(job).Any())
        {
            throw new InvalidOperationException($"The journal of job {job} still has open instances.");
        }

        Directory.Delete(FolderOf(job), recursive: true);
    }

    /// <summary>Jobs that have anything in the journal.</summary>
    public IReadOnlyList<string> Jobs() => Directory.Exists(Root) ? [.. Directory.EnumerateDirectories(Root).Select(d => Path.GetFileName(d)!)] : [];

    /// <summary>Instances of a job that were being stored when the service stopped.</summary>
    public IEnumerable<InstanceRecord> OpenRecords(string job) =>
        Directory.Exists(FolderOf(job))
            ? Directory.EnumerateFiles(FolderOf(job), "*" + RecordSuffix)
                .Where(f => Path.GetFileName(f) != ParentsFile)
                .Select(f => Read(f, JournalJson.Default.InstanceRecord))
                .OfType<InstanceRecord>()
            : [];

    /// <summary>Deletes files of instances that were only being prepared when the service stopped: Orthanc was not written to for them.</summary>
    public void SweepUnopened(string job)
    {
        foreach (var spool in Directory.EnumerateFiles(FolderOf(job), "*.original").Concat(Directory.EnumerateFiles(FolderOf(job), "*.masked")).ToList())
        {
            var record = Path.ChangeExtension(spool, RecordSuffix);
            if (Read(record, JournalJson.Default.InstanceRecord) is null)
            {
                File.Delete(record);
                File.Delete(spool);
            }
        }
    }

    private string FolderOf(string job) => Path.Combine(Root, job);

    private string RecordPath(string job, OrthancId instance) => Path.Combine(FolderOf(job), instance.Value + RecordSuffix);

    private string SpoolPath(string job, OrthancId instance, SpoolFile file) =>
        Path.Combine(FolderOf(job), instance.Value + (file == SpoolFile.Original ? ".original" : ".masked"));

    // Straight under its name: fsync of a new file also makes its directory entry durable on ext4 and XFS, a rename would need one more.
    private static void WriteDurably(string path, byte[] content)
    {
        using var file = PrivateFiles.Create(path);
        file.Write(content);
        file.Flush(flushToDisk: true);
    }

    private static T? Read<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var file = File.OpenRead(path);
            return JsonSerializer.Deserialize(file, type);
        }
        catch (JsonException)
        {
            return null; // cut off while it was written, so nothing that waits for it was done
        }
    }
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(InstanceRecord))]
[JsonSerializable(typeof(ParentsRecord))]
internal sealed partial class JournalJson : JsonSerializerContext;
