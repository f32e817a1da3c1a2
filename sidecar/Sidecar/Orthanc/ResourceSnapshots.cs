using System.Globalization;
using System.Security.Cryptography;
using Sidecar.Storage;

namespace Sidecar.Orthanc;

/// <summary>
/// Takes and restores what Orthanc forgets when it stores an instance again: users' metadata, attachments, labels, Protected.
/// Restoring adds only what is missing; newer values stay.
/// </summary>
internal sealed class ResourceSnapshots(OrthancClient orthanc, ReplacementJournal journal)
{
    private const int FirstUserNumber = 1024;
    private const string OhifCacheMetadata = "4202";

    // Names of Orthanc 1.10 to 1.12 for metadata below 1024: PUT answers 403.
    private static readonly HashSet<string> SystemMetadata =
    [
        "IndexInSeries", "ReceptionDate", "RemoteAET", "ExpectedNumberOfInstances", "ModifiedFrom", "AnonymizedFrom", "LastUpdate", "Origin",
        "TransferSyntax", "SopClassUid", "RemoteIP", "CalledAET", "HttpUsername", "HttpHost", "PixelDataOffset", "MainDicomTagsSignature",
        "MainDicomSequences", "PixelDataVR", "Instance_PixelDataVR",
    ];

    public async Task<ResourceSnapshot> Take(string job, OrthancLevel level, OrthancId id, int children, CancellationToken token)
    {
        var all = await orthanc.ReadMetadata(level, id, token);
        var metadata = new Dictionary<string, byte[]>();
        foreach (var name in all.Keys.Where(IsUsers))
        {
            if (await orthanc.FindMetadata(level, id, name, token) is { } value)
            {
                metadata[name] = value;
            }
        }

        List<AttachmentSnapshot> attachments = [];
        foreach (var number in (await orthanc.ReadAttachments(level, id, token)).Values.Where(n => n >= FirstUserNumber && !IsDerived(n)))
        {
            var file = string.Create(CultureInfo.InvariantCulture, $"{id}.attachment-{number}");
            var attachment = new AttachmentSnapshot(number, file, RandomNumberGenerator.GetBytes(EncryptedStream.KeyBytes));
            await using var content = journal.CreateAttachment(job, attachment);
            await orthanc.ReadAttachment(level, id, number, content, token);
            content.FlushToDisk();
            attachments.Add(attachment);
        }

        return new ResourceSnapshot
        {
            Level = level,
            Id = id.Value,
            Metadata = metadata,
            SystemMetadata = all.Where(m => SystemMetadata.Contains(m.Key)).ToDictionary(),
            Attachments = attachments,
            Labels = await orthanc.ReadLabels(level, id, token),
            Protected = level == OrthancLevel.Patients && await orthanc.IsProtected(id, token),
            Children = children,
        };
    }

    public async Task RestoreMissing(string job, ResourceSnapshot before, CancellationToken token)
    {
        var id = new OrthancId(before.Id);
        if (before.Metadata.Count > 0)
        {
            var now = await orthanc.ReadMetadata(before.Level, id, token);
            foreach (var (name, value) in before.Metadata.Where(m => !now.ContainsKey(m.Key)))
            {
                await orthanc.WriteMetadata(before.Level, id, name, value, token);
            }
        }

        if (before.Attachments.Count > 0)
        {
            var now = (await orthanc.ReadAttachments(before.Level, id, token)).Values.ToHashSet();
            foreach (var attachment in before.Attachments.Where(a => !now.Contains(a.Number)))
            {
                await using var content = journal.OpenAttachment(job, attachment);
                await orthanc.WriteAttachment(before.Level, id, attachment.Number, content, token);
            }
        }

        if (before.Labels.Count > 0)
        {
            foreach (var label in before.Labels.Except(await orthanc.ReadLabels(before.Level, id, token)))
            {
                await orthanc.WriteLabel(before.Level, id, label, token);
            }
        }

        if (before.Protected && !await orthanc.IsProtected(id, token))
        {
            await orthanc.Protect(id, token);
        }
    }

    /// <summary>Removes what viewers and plugins computed from the old pixels; they compute it again.</summary>
    public async Task DropDerived(OrthancLevel level, OrthancId id, CancellationToken token)
    {
        foreach (var number in (await orthanc.ReadAttachments(level, id, token)).Values.Where(IsDerived))
        {
            await orthanc.DeleteAttachment(level, id, number, token);
        }

        if ((await orthanc.ReadMetadata(level, id, token)).ContainsKey(OhifCacheMetadata))
        {
            await orthanc.DeleteMetadata(level, id, OhifCacheMetadata, token);
        }
    }

    // 4301: series metadata cached by the DICOMweb plugin, validated only by instance ids. 9997-9999 and 10000-13999: the Osimis viewer's reduced images.
    private static bool IsDerived(int attachment) => attachment is 4301 or (>= 9997 and <= 13999);

    private static bool IsUsers(string metadata) =>
        metadata != OhifCacheMetadata && !SystemMetadata.Contains(metadata)
        && (!int.TryParse(metadata, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number >= FirstUserNumber);
}
