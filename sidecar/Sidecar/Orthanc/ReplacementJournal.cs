using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Sidecar.Dicom.Files;
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

/// <param name="Number">The attachment's, at least 1024.</param>
/// <param name="File">Its file's name in the journal.</param>
/// <param name="Key">What that file is encrypted with.</param>
internal sealed record AttachmentSnapshot(int Number, string File, byte[] Key);

/// <summary>Patient, study and series of a job, as they were before its first write.</summary>
internal sealed record ParentsRecord(IReadOnlyList<ResourceSnapshot> Parents);

/// <summary>One instance that is about to be, or was, stored again. While this record is on disk, its original is too.</summary>
internal sealed record InstanceRecord
{
    public required string JobId { get; init; }

    public required ResourceSnapshot Instance { get; init; }

    /// <summary>Uuid and MD5 of the original in Orthanc.</summary>
    public required string Uuid { get; init; }

    public required string Md5 { get; init; }

    public required string MaskedMd5 { get; init; }

    /// <summary>Null where the new file is an original that is put back.</summary>
    public required MaskProof? Proof { get; init; }

    /// <summary>Of its original. It is nowhere else: once the record is overwritten, nobody can read that.</summary>
    public required SpoolKeys Keys { get; init; }

    [JsonIgnore]
    public OrthancId Id => new(Instance.Id);
}

/// <param name="Original">Of the original's file. Records of earlier versions have more.</param>
internal sealed record SpoolKeys(byte[] Original)
{
    public static SpoolKeys Create() => new(RandomNumberGenerator.GetBytes(EncryptedStream.KeyBytes));
}

/// <summary>
/// The files that make a replacement survive a crash: a folder a job, readable by the service's user alone. This class is the only one that
/// opens them. Everything in it is encrypted: each file by a key of its own, which is in the record, and the record by the journal's key, which lies
/// elsewhere. Originals stay until the masked instance is verified; then their keys are overwritten, and their files used for others until the job ends.
/// </summary>
internal sealed class ReplacementJournal(IOptions<StorageOptions> storage, JournalKey journalKey)
{
    private const string RecordSuffix = ".record";
    private const string ParentsFile = "parents.record";
    private const string OriginalSuffix = ".original";

    // Of versions that kept the masked file in the journal, too.
    private const string OldMaskedSuffix = ".masked";

    private readonly SpareFiles _spares = new();

    // What lies in the files: asked for with each image of a job.
    private readonly ConcurrentDictionary<string, ParentsRecord> _parents = new();

    private string Root => storage.Value.JournalDirectory;

    /// <summary>A new empty file for an instance as it is in Orthanc, readable and writable.</summary>
    public EncryptedStream CreateOriginal(string job, OrthancId instance, SpoolKeys keys, long length)
    {
        EnsureFolder(job);
        return EncryptedStream.Overwrite(_spares.Take(OriginalPath(job, instance)), keys.Original, length);
    }

    /// <summary>Null where it was moved away by <see cref="MoveOriginal"/>.</summary>
    public EncryptedStream? FindOriginal(InstanceRecord record) =>
        File.Exists(OriginalPath(record.JobId, record.Id)) ? OpenEncrypted(OriginalPath(record.JobId, record.Id), record.Keys.Original) : null;

    /// <summary>For what an instance is made into. It is in Orthanc or of no use. A long one shares the bytes of its original.</summary>
    public PositionedStream CreateResult(string job, EncryptedStream original, long expectedLength) => expectedLength <= EncryptedStream.MaxInMemory
        ? EncryptedStream.CreateTemporary(FolderOf(job), expectedLength)
        : new PatchedStream(original, EncryptedStream.CreateTemporary(FolderOf(job)));

    /// <summary>Takes the encrypted original of an open record out of the journal, which needs it no more. Does nothing where it is there already.</summary>
    /// <exception cref="IOException">It is in neither place.</exception>
    public void MoveOriginal(InstanceRecord record, string to)
    {
        var from = OriginalPath(record.JobId, record.Id);
        if (File.Exists(from))
        {
            File.Move(from, to, overwrite: true);
        }
        else if (!File.Exists(to))
        {
            throw new FileNotFoundException($"The original of instance {record.Id} is not in the journal any more, so it cannot be kept.");
        }
    }

    /// <summary>Size of the original, in bytes; 0 where it was moved away.</summary>
    public long SizeOf(InstanceRecord record) =>
        new FileInfo(OriginalPath(record.JobId, record.Id)) is { Exists: true } file ? EncryptedStream.PlainLength(file.Length) : 0;

    /// <summary>Of an instance without an open record.</summary>
    public void DropOriginal(string job, OrthancId instance)
    {
        _spares.Give(OriginalPath(job, instance));
        File.Delete(Path.ChangeExtension(OriginalPath(job, instance), OldMaskedSuffix));
    }

    /// <summary>A file for an attachment's content; its name goes into the snapshot.</summary>
    public EncryptedStream CreateAttachment(string job, AttachmentSnapshot attachment)
    {
        EnsureFolder(job);
        return new EncryptedStream(PrivateFiles.Create(Path.Combine(FolderOf(job), attachment.File)), attachment.Key);
    }

    public EncryptedStream OpenAttachment(string job, AttachmentSnapshot attachment) => OpenEncrypted(Path.Combine(FolderOf(job), attachment.File), attachment.Key);

    /// <summary>Puts the record on disk; returns when it would survive a power cut. Only then may Orthanc be written to.</summary>
    public void Open(InstanceRecord record) => WriteDurably(RecordPath(record.JobId, record.Id), JsonSerializer.SerializeToUtf8Bytes(record, JournalJson.Default.InstanceRecord));

    public InstanceRecord? FindRecord(string job, OrthancId instance) => ReadRecord(RecordPath(job, instance));

    /// <summary>
    /// Overwrites the record of an image whose outcome is on record elsewhere, and with it the only keys of its files. That is on disk when another
    /// instance's record is, which takes its place, and at the latest when the job is closed. A power cut in between may bring the record back
    /// without its original; it is closed again then, for nobody needs either.
    /// </summary>
    public void Close(InstanceRecord record)
    {
        PrivateFiles.Zero(RecordPath(record.JobId, record.Id));
        _spares.Give(RecordPath(record.JobId, record.Id));
        DropFiles(record);
    }

    /// <summary>
    /// Overwrites a record whose outcome nobody else knows; returns when that would survive a power cut. If the record came back without its
    /// original, an image that somebody deletes in the meantime would be missed, and its job could not go on.
    /// </summary>
    public void CloseDurably(InstanceRecord record)
    {
        PrivateFiles.Shred(RecordPath(record.JobId, record.Id));
        DropFiles(record);
    }

    private void DropFiles(InstanceRecord record)
    {
        foreach (var attachment in record.Instance.Attachments)
        {
            File.Delete(Path.Combine(FolderOf(record.JobId), attachment.File));
        }

        DropOriginal(record.JobId, record.Id);
    }

    public ParentsRecord? FindParents(string job)
    {
        var path = Path.Combine(FolderOf(job), ParentsFile);
        if (!File.Exists(path))
        {
            _parents.TryRemove(job, out _); // another node may have brought the job to its end
            return null;
        }

        return _parents.TryGetValue(job, out var known) ? known
            : Read(path, JournalJson.Default.ParentsRecord) is { } read ? _parents.GetOrAdd(job, read)
            : null;
    }

    public void OpenParents(string job, ParentsRecord parents)
    {
        EnsureFolder(job);
        WriteDurably(Path.Combine(FolderOf(job), ParentsFile), JsonSerializer.SerializeToUtf8Bytes(parents, JournalJson.Default.ParentsRecord));
        _parents[job] = parents;
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

        // That of the parents, and such as a power cut left under the name of an image that was not begun.
        foreach (var record in Directory.EnumerateFiles(FolderOf(job), "*" + RecordSuffix).ToList())
        {
            PrivateFiles.Shred(record);
        }

        ShredSpares(job);
        Directory.Delete(FolderOf(job), recursive: true);
        _parents.TryRemove(job, out _);
    }

    /// <summary>Jobs that have anything in the journal.</summary>
    public IReadOnlyList<string> Jobs() => Directory.Exists(Root) ? [.. Directory.EnumerateDirectories(Root).Select(d => Path.GetFileName(d)!)] : [];

    /// <summary>Instances of a job that were being stored when the service stopped.</summary>
    public IEnumerable<InstanceRecord> OpenRecords(string job) =>
        Directory.Exists(FolderOf(job))
            ? Directory.EnumerateFiles(FolderOf(job), "*" + RecordSuffix)
                .Where(f => Path.GetFileName(f) != ParentsFile)
                .Select(ReadRecord)
                .OfType<InstanceRecord>()
            : [];

    /// <summary>Deletes files of instances that were only being prepared when the service stopped: Orthanc was not written to for them.</summary>
    public void SweepUnopened(string job)
    {
        foreach (var spool in Directory.EnumerateFiles(FolderOf(job), "*" + OriginalSuffix).Concat(Directory.EnumerateFiles(FolderOf(job), "*" + OldMaskedSuffix)).ToList())
        {
            if (File.Exists(Path.ChangeExtension(spool, ".json")))
            {
                throw new IOException("The journal holds images of a version that did not encrypt it. Start that version until its jobs are finished.");
            }

            var record = Path.ChangeExtension(spool, RecordSuffix);
            if (ReadRecord(record) is null)
            {
                PrivateFiles.Shred(record);
                File.Delete(spool);
            }
        }

        ShredSpares(job);
    }

    // What overwrote their keys may not have reached the disk.
    private void ShredSpares(string job)
    {
        _spares.Forget(FolderOf(job));
        foreach (var spare in Directory.EnumerateFiles(FolderOf(job), "*" + SpareFiles.Suffix).ToList())
        {
            if (spare.EndsWith(RecordSuffix + SpareFiles.Suffix, StringComparison.Ordinal))
            {
                PrivateFiles.Shred(spare);
            }
            else
            {
                File.Delete(spare);
            }
        }
    }

    // Asked for with each image of a job; its rights were set when it was made.
    private void EnsureFolder(string job)
    {
        if (!Directory.Exists(FolderOf(job)))
        {
            PrivateFiles.CreateFolder(Root);
            PrivateFiles.CreateFolder(FolderOf(job));
        }
    }

    private string FolderOf(string job) => Path.Combine(Root, job);

    private string RecordPath(string job, OrthancId instance) => Path.Combine(FolderOf(job), instance.Value + RecordSuffix);

    private string OriginalPath(string job, OrthancId instance) => Path.Combine(FolderOf(job), instance.Value + OriginalSuffix);

    private static EncryptedStream OpenEncrypted(string path, byte[] key) =>
        new(new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, BufferSize = 0 }), key);

    // Straight under its name: fsync of a new file also makes its directory entry durable on ext4 and XFS, as does that of one renamed before; a rename after it would need one more.
    private void WriteDurably(string path, byte[] content)
    {
        using var file = _spares.Take(path);
        file.Write(journalKey.Seal(content));
        file.SetLength(file.Position);
        file.Flush(flushToDisk: true);
    }

    // After a power cut a file may have got its new name, but not its new content: that it holds another instance's record makes it none.
    private InstanceRecord? ReadRecord(string path) =>
        Read(path, JournalJson.Default.InstanceRecord) is { } record && record.Id.Value == Path.GetFileNameWithoutExtension(path) ? record : null;

    // Null where there is none, or where it was cut off while it was written, so that nothing that waits for it was done.
    private T? Read<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class =>
        File.Exists(path) && journalKey.Open(Path.GetFileName(path), File.ReadAllBytes(path)) is { } content ? JsonSerializer.Deserialize(content, type) : null;
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(InstanceRecord))]
[JsonSerializable(typeof(ParentsRecord))]
internal sealed partial class JournalJson : JsonSerializerContext;
