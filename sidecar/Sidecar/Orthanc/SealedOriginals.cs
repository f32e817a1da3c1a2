using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Sidecar.Storage;

namespace Sidecar.Orthanc;

/// <summary>What is needed to put one original back. The key of its file is nowhere else.</summary>
internal sealed record Seal
{
    public required string JobId { get; init; }

    public required string OrthancId { get; init; }

    /// <summary>MD5 of the original.</summary>
    public required string Md5 { get; init; }

    /// <summary>MD5 of the masked file that took its place.</summary>
    public required string MaskedMd5 { get; init; }

    public required byte[] Key { get; init; }
}

/// <summary>
/// Originals that outlive their masking for some days: the journal's own encrypted file, moved, and beside it a seal with its key, encrypted by the
/// journal's key. Overwriting the seal makes the original unreadable for everybody, whatever copies of its file there are.
/// </summary>
internal sealed class SealedOriginals(IOptions<StorageOptions> storage, ReplacementJournal journal, JournalKey journalKey)
{
    private const string SealSuffix = ".seal";
    private const string FileSuffix = ".original";

    private string Root => storage.Value.SealedDirectory;

    /// <summary>
    /// Keeps the original of an open record of the journal; returns when that would survive a power cut. May be done twice. The record stays open; what
    /// it needs of the original is found here from now on.
    /// </summary>
    /// <exception cref="IOException">There is no room, or the original is not there: the promise cannot be held, so the image must not count as masked yet.</exception>
    public void Keep(InstanceRecord record)
    {
        if (Find(record.JobId, record.Id) is { } seal && seal.Md5 == record.Md5 && seal.MaskedMd5 == record.MaskedMd5 && File.Exists(FilePath(record.JobId, record.Id.Value)))
        {
            return;
        }

        PrivateFiles.CreateFolder(Root);
        PrivateFiles.CreateFolder(FolderOf(record.JobId));
        journal.MoveOriginal(record, FilePath(record.JobId, record.Id.Value));

        // Last: the fsync of the new file carries the move before it to the disk (ext4 and XFS keep the order of changes to directories).
        var content = new Seal { JobId = record.JobId, OrthancId = record.Id.Value, Md5 = record.Md5, MaskedMd5 = record.MaskedMd5, Key = record.Keys.Original };
        using var file = PrivateFiles.Create(SealPath(record.JobId, record.Id.Value));
        file.Write(journalKey.Seal(JsonSerializer.SerializeToUtf8Bytes(content, SealJson.Default.Seal)));
        file.Flush(flushToDisk: true);
    }

    /// <summary>Null where nothing is kept, or its seal was cut off while it was written.</summary>
    /// <exception cref="IOException">It was sealed with another key than the journal's of today.</exception>
    public Seal? Find(string job, OrthancId instance)
    {
        var path = SealPath(job, instance.Value);
        return File.Exists(path) && journalKey.Open(Path.GetFileName(path), File.ReadAllBytes(path)) is { } content ? JsonSerializer.Deserialize(content, SealJson.Default.Seal) : null;
    }

    public EncryptedStream Open(Seal seal) =>
        new(new FileStream(FilePath(seal.JobId, seal.OrthancId), new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, BufferSize = 0 }), seal.Key);

    /// <summary>Makes an original unreadable for good: its key first, then its file. May be done twice, and needs no key.</summary>
    public void Erase(string job, string orthancId)
    {
        if (!Directory.Exists(FolderOf(job)))
        {
            return;
        }

        PrivateFiles.Shred(SealPath(job, orthancId));
        File.Delete(FilePath(job, orthancId));
        if (!Directory.EnumerateFileSystemEntries(FolderOf(job)).Any())
        {
            Directory.Delete(FolderOf(job));
        }
    }

    /// <summary>Job and Orthanc id of everything that is there, whole or not.</summary>
    public IReadOnlyList<(string Job, string OrthancId)> List() =>
        Directory.Exists(Root)
            ? [.. Directory.EnumerateDirectories(Root).SelectMany(folder => Directory.EnumerateFiles(folder).Select(file => (Path.GetFileName(folder)!, Path.GetFileNameWithoutExtension(file)))).Distinct()]
            : [];

    private string FolderOf(string job) => Path.Combine(Root, job);

    private string SealPath(string job, string orthancId) => Path.Combine(FolderOf(job), orthancId + SealSuffix);

    private string FilePath(string job, string orthancId) => Path.Combine(FolderOf(job), orthancId + FileSuffix);
}

[JsonSerializable(typeof(Seal))]
internal sealed partial class SealJson : JsonSerializerContext;
