using System.Buffers;
using System.ComponentModel;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Masking;
using Sidecar.Storage;
using Sidecar.Telemetry;

namespace Sidecar.Orthanc;

/// <summary>What became of one instance.</summary>
internal abstract record ReplacementOutcome
{
    private ReplacementOutcome()
    {
    }

    /// <summary>Orthanc holds the masked instance: read back and compared. The record stays open until <see cref="SafeReplacement.Close"/>.</summary>
    public sealed record Replaced(InstanceRecord Record, string Uuid) : ReplacementOutcome
    {
        /// <summary>Until when the original is kept; null where it is not.</summary>
        public DateTimeOffset? RestorableUntil { get; init; }
    }

    /// <summary>The original is as it was. The reason is for a person; the cause for statistics, and for programs that have words of their own.</summary>
    public sealed record Refused(RefusalCause Cause, string Reason) : ReplacementOutcome;
}

[Description("Why an image was not changed. unsupported: its pixels cannot be masked exactly; damaged: its file, or its kept original, cannot be read; deleted: it, or its study, is no longer in the archive (Orthanc); changed: it is another one than was looked at, or than this masking stored; archive: Orthanc did not deliver or take it; storage: this service's own disk; software: a fault of this service.")]
[JsonConverter(typeof(JsonStringEnumConverter<RefusalCause>))]
internal enum RefusalCause
{
    [JsonStringEnumMemberName("unsupported")]
    Unsupported,
    [JsonStringEnumMemberName("damaged")]
    Damaged,
    [JsonStringEnumMemberName("deleted")]
    Deleted,
    [JsonStringEnumMemberName("changed")]
    Changed,
    [JsonStringEnumMemberName("archive")]
    Archive,
    [JsonStringEnumMemberName("storage")]
    Storage,
    [JsonStringEnumMemberName("software")]
    Software,
}

/// <summary>
/// Puts a masked instance over its original such that a crash at any line loses nothing and leaves nothing half done: journal first, then
/// store, read back, restore. Orthanc replaces in one transaction; everything around it that it forgets is put back from the journal.
/// </summary>
internal sealed partial class SafeReplacement(
    OrthancClient orthanc,
    ReplacementJournal journal,
    ResourceSnapshots snapshots,
    WorkLimit limit,
    GatheredMasking masking,
    SealedOriginals originals,
    TimeProvider time,
    ILogger<SafeReplacement> logger)
{
    private const int Attempts = 5;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Snapshots the parents of a job's instances, once, before its first write. Does nothing where the journal has them already.</summary>
    /// <returns>False where the study is not in Orthanc any more.</returns>
    public async Task<bool> Begin(string job, OrthancId study, IReadOnlySet<string> seriesInstanceUids, CancellationToken token)
    {
        if (journal.FindParents(job) is not null)
        {
            return true;
        }

        if (await orthanc.FindResource(OrthancLevel.Studies, study, token) is not { } studyNow)
        {
            return false;
        }

        var patient = new OrthancId(studyNow.ParentPatient ?? throw new OrthancException("Orthanc names no patient for a study."));
        var patientNow = await orthanc.ReadResource(OrthancLevel.Patients, patient, token);
        List<ResourceSnapshot> parents =
        [
            await snapshots.Take(job, OrthancLevel.Patients, patient, patientNow.Studies?.Count ?? 0, token),
            await snapshots.Take(job, OrthancLevel.Studies, study, studyNow.Series?.Count ?? 0, token),
        ];
        foreach (var series in await orthanc.ReadSeriesOf(study, token))
        {
            if (series.MainDicomTags?.GetValueOrDefault("SeriesInstanceUID") is { } uid && seriesInstanceUids.Contains(uid))
            {
                parents.Add(await snapshots.Take(job, OrthancLevel.Series, new OrthancId(series.Id), series.Instances?.Count ?? 0, token));
            }
        }

        journal.OpenParents(job, new ParentsRecord(parents));
        return true;
    }

    /// <summary>Masks one instance and stores it, or finishes what a stopped service had begun with it.</summary>
    /// <param name="job">Whose journal it is.</param>
    /// <param name="instance">What to mask.</param>
    /// <param name="masks">At least one.</param>
    /// <param name="md5">Of the file that the masks were made for; of another one nothing is masked. Null takes it as it is.</param>
    /// <param name="token">Ends the work; what was begun stays in the journal.</param>
    /// <exception cref="OrthancException">Orthanc does not answer; call again later. An open record, if there is one, says what was done.</exception>
    public Task<ReplacementOutcome> Replace(string job, OrthancId instance, IReadOnlyList<Mask> masks, string? md5, CancellationToken token) =>
        Replace(job, instance, md5, (expected, original, result) => Mask(instance, expected, original, result, masks, token), token);

    /// <summary>
    /// Puts a kept original over the masked image that took its place, in the same way; only over exactly the file that this service stored then.
    /// </summary>
    /// <param name="job">Whose journal it is.</param>
    /// <param name="instance">What to put back.</param>
    /// <param name="maskJob">The job that masked it.</param>
    /// <param name="token">Ends the work; what was begun stays in the journal.</param>
    /// <exception cref="OrthancException">Orthanc does not answer; call again later. An open record, if there is one, says what was done.</exception>
    public async Task<ReplacementOutcome> PutBack(string job, OrthancId instance, string maskJob, CancellationToken token)
    {
        // What is in Orthanc already needs the journal alone, and is brought to its end whatever became of the kept file.
        if (journal.FindRecord(job, instance) is { } begun)
        {
            using var place = await limit.Enter(journal.SizeOf(begun), token);
            if (await Resume(begun, token) is { } finished)
            {
                return finished;
            }
        }

        Seal? seal;
        try
        {
            seal = originals.Find(maskJob, instance);
        }
        catch (IOException e)
        {
            return new ReplacementOutcome.Refused(RefusalCause.Damaged, $"The kept original cannot be opened. {e.Message} The masked image was not touched.");
        }

        return seal is null
            ? new ReplacementOutcome.Refused(RefusalCause.Damaged, "The original is not kept any more. The masked image was not touched.")
            : await Replace(
                job,
                instance,
                seal.MaskedMd5,
                (expected, _, original) =>
                {
                    expected.Dispose(); // nobody waits for what is not masked
                    return CopyOriginal(seal, original, token);
                },
                token);
    }

    private async Task<ReplacementOutcome> Replace(
        string job, OrthancId instance, string? md5, Func<GatheredMasking.ExpectedImage, EncryptedStream, PositionedStream, Task<Made>> make, CancellationToken token)
    {
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            if (journal.FindRecord(job, instance) is { } begun)
            {
                using var place = await limit.Enter(journal.SizeOf(begun), token);
                if (await Resume(begun, token) is { } finished)
                {
                    return finished;
                }
            }

            if (await orthanc.FindFileInfo(instance, token) is not { } info)
            {
                return new ReplacementOutcome.Refused(RefusalCause.Deleted, "The image is no longer in Orthanc; somebody deleted it after the job was started.");
            }

            if (md5 is not null && info.UncompressedMd5 != md5)
            {
                return new ReplacementOutcome.Refused(RefusalCause.Changed, "The image is another one than was looked at: somebody sent it again or masked it after the job was started. Look at it again.");
            }

            using (await limit.Enter(info.UncompressedSize, token))
            {
                var outcome = await MakeAndStore(job, instance, info, make, token);
                if (outcome is not null)
                {
                    return outcome;
                }
            }

            LogChangedMeanwhile(instance.Value, attempt);
        }

        return new ReplacementOutcome.Refused(RefusalCause.Changed, "The image changed in Orthanc again and again while it was being masked. Nothing was stored; try again when nobody else sends to this study.");
    }

    /// <summary>Brings one open record to its end without beginning anew: for a job that nobody knows any more.</summary>
    public async Task Settle(InstanceRecord record, CancellationToken token)
    {
        if (await Resume(record, token) is ReplacementOutcome.Replaced)
        {
            journal.CloseDurably(record);
        }
    }

    /// <summary>Forgets the original for good. Call it when the outcome is on record.</summary>
    public void Close(InstanceRecord record) => journal.Close(record);

    /// <summary>Restores the parents after the last instance, removes caches of old pixels, and closes the job's journal.</summary>
    public async Task Finish(string job, CancellationToken token)
    {
        if (journal.FindParents(job) is { } record)
        {
            await RestoreParents(job, record, token);
            foreach (var parent in record.Parents)
            {
                if (await Exists(parent, token))
                {
                    await snapshots.DropDerived(parent.Level, new OrthancId(parent.Id), token);
                }
            }
        }

        journal.CloseJob(job);
    }

    // Null: the instance is not the one that was read any more.
    private async Task<ReplacementOutcome?> MakeAndStore(
        string job, OrthancId instance, FileInfoAnswer info, Func<GatheredMasking.ExpectedImage, EncryptedStream, PositionedStream, Task<Made>> make, CancellationToken token)
    {
        var opened = false;
        using var expected = masking.Expect(info.UncompressedSize);
        try
        {
            var keys = SpoolKeys.Create();
            await using (var original = journal.CreateOriginal(job, instance, keys, info.UncompressedSize))
            await using (var result = journal.CreateResult(job, original, info.UncompressedSize))
            {
                using (ServiceMeter.Time(ServiceMeter.Fetch))
                {
                    await orthanc.CopyFile(
                        instance,
                        info.UncompressedSize,
                        block =>
                        {
                            original.Write(block.Span);
                            return expected.Take(block);
                        },
                        token);
                }

                original.Position = 0;
                var making = make(expected, original, result);
                await Task.WhenAll(making, BeginToSync(original));
                var made = await making;
                if ((made.OriginalMd5 ?? await HashOf(original, token)) != info.UncompressedMd5)
                {
                    return await IsStill(instance, info, token)
                        ? new ReplacementOutcome.Refused(RefusalCause.Archive, "Orthanc delivers another file than it says it holds (checksum). Check Orthanc's disk; nothing was stored.")
                        : null;
                }

                if (made.Refused is not null)
                {
                    return made.Refused;
                }

                var record = new InstanceRecord
                {
                    JobId = job,
                    Instance = await snapshots.Take(job, OrthancLevel.Instances, instance, children: 0, token),
                    Uuid = info.Uuid,
                    Md5 = info.UncompressedMd5,
                    MaskedMd5 = made.ResultMd5 ?? await HashOf(result, token),
                    Proof = made.Proof,
                    Keys = keys,
                };
                if (record.MaskedMd5 == record.Md5)
                {
                    // Masked before, in the same way: there is nothing to store, and storing would only shed metadata.
                    return await IsStill(instance, info, token) ? new ReplacementOutcome.Replaced(record, info.Uuid) : null;
                }

                using (ServiceMeter.Time(ServiceMeter.Journal))
                {
                    original.FlushToDisk();
                    journal.Open(record);
                }

                opened = true;
                return await Store(record, result, token);
            }
        }
        finally
        {
            if (!opened)
            {
                journal.DropOriginal(job, instance);
            }
        }
    }

    // A long original is on its way to the disk while it is masked; a short one is there as soon as it is asked for.
    private static Task BeginToSync(EncryptedStream original) => original.Length > EncryptedStream.MaxInMemory ? Task.Run(original.FlushToDisk) : Task.CompletedTask;

    // Its MD5 is compared once more: what goes into the archive is the original, bit by bit, or nothing.
    private async Task<Made> CopyOriginal(Seal seal, Stream to, CancellationToken token)
    {
        var unreadable = Made.Nothing(RefusalCause.Damaged, "The kept original is damaged or missing on the disk of Storage:Directory. The masked image was not touched.");
        try
        {
            await using var whole = originals.Open(seal);
            if (await HashOf(whole, token) != seal.Md5)
            {
                return unreadable;
            }
        }
        catch (IOException)
        {
            return unreadable;
        }

        await using var from = originals.Open(seal);
        await from.CopyToAsync(to, token);
        return new Made { ResultMd5 = seal.Md5 };
    }

    private async Task<Made> Mask(OrthancId instance, GatheredMasking.ExpectedImage expected, Stream original, Stream result, IReadOnlyList<Mask> masks, CancellationToken token)
    {
        try
        {
            using var timing = ServiceMeter.Time(ServiceMeter.Mask);
            var gathered = await expected.BurnMasks(original, result, masks, token);
            return gathered.Outcome switch
            {
                MaskOutcome.Masked done => new Made { Proof = done.Proof, OriginalMd5 = gathered.OriginalMd5, ResultMd5 = gathered.ResultMd5 },
                MaskOutcome.Unsupported unsupported => Made.Nothing(RefusalCause.Unsupported, unsupported.Reason),
                MaskOutcome.Failed failed => Made.Nothing(RefusalCause.Damaged, failed.Reason),
                _ => throw new InvalidOperationException("An image is masked or not."),
            };
        }
        catch (Exception e) when (e is not (IOException or OperationCanceledException or UnauthorizedAccessException))
        {
            // Our own bug, met by one file: the others of the job are not to wait for its correction.
            LogMaskerBug(e, instance.Value);
            return Made.Nothing(RefusalCause.Software, "The software failed on this image; its original was not touched. Please report this to the administrator.");
        }
    }

    // From an open record to the verified end, whatever happens on the way. Null: someone else stored the instance, the record is closed.
    private async Task<ReplacementOutcome?> Store(InstanceRecord record, PositionedStream result, CancellationToken token)
    {
        for (var attempt = 1; ; attempt++)
        {
            var now = await orthanc.FindFileInfo(record.Id, token);
            if (now?.UncompressedMd5 == record.MaskedMd5)
            {
                bool isDelivered;
                using (ServiceMeter.Time(ServiceMeter.ReadBack))
                {
                    isDelivered = await orthanc.Delivers(record.Id, result, token);
                }

                if (isDelivered)
                {
                    return await Verified(record, now, token);
                }

                if (attempt == Attempts)
                {
                    throw Misdelivered(record);
                }
            }
            else if (now is not null && now.Uuid != record.Uuid)
            {
                journal.CloseDurably(record);
                return null;
            }

            try
            {
                // The original is still there, or (404) nothing is: the new file goes in, never the original.
                using var timing = ServiceMeter.Time(ServiceMeter.Store);
                await StoreFile(record, result, token);
            }
            catch (UnsafeOrthancException overwriteOff)
            {
                journal.CloseDurably(record);
                return new ReplacementOutcome.Refused(RefusalCause.Archive, overwriteOff.Message);
            }
            catch (OrthancException e) when (attempt < Attempts)
            {
                await PauseAfter(e, record, attempt, token);
            }
        }
    }

    // What a stopped service had begun. Null: what it made is not in Orthanc; the record is closed, and all may begin anew.
    private async Task<ReplacementOutcome?> Resume(InstanceRecord record, CancellationToken token)
    {
        for (var attempt = 1; ; attempt++)
        {
            var now = await orthanc.FindFileInfo(record.Id, token);
            if (now?.UncompressedMd5 == record.MaskedMd5)
            {
                // Its hash is enough to know it; the file itself was of no use to anybody but the service that stopped.
                if (await orthanc.ReadFile(record.Id, now.UncompressedSize, Stream.Null, token) == record.MaskedMd5)
                {
                    return await Verified(record, now, token);
                }

                if (attempt == Attempts)
                {
                    throw Misdelivered(record);
                }
            }
            else if (now is not null)
            {
                if (now.UncompressedMd5 == record.Md5)
                {
                    await Restore(record, token);
                }

                journal.CloseDurably(record);
                return null;
            }

            try
            {
                // The archive lost it, or somebody deleted it: what was there goes back, so that nothing depends on what comes next.
                await using var original = journal.FindOriginal(record) ?? OpenKept(record);
                await StoreFile(record, original, token);
            }
            catch (OrthancException e) when (attempt < Attempts)
            {
                await PauseAfter(e, record, attempt, token);
            }
        }
    }

    private EncryptedStream OpenKept(InstanceRecord record) =>
        originals.Open(originals.Find(record.JobId, record.Id) ?? throw new IOException($"The original of instance {record.Id} is neither in Orthanc nor in the journal. Restore Storage:Directory from a backup."));

    private async Task<ReplacementOutcome.Replaced> Verified(InstanceRecord record, FileInfoAnswer now, CancellationToken token)
    {
        using (ServiceMeter.Time(ServiceMeter.Restore))
        {
            await Restore(record, token);
        }

        ServiceMeter.CountBytes(now.UncompressedSize);
        return new ReplacementOutcome.Replaced(record, now.Uuid);
    }

    private async Task StoreFile(InstanceRecord record, Stream file, CancellationToken token)
    {
        var stored = await orthanc.StoreInstance(file, token);
        if (stored != record.Id)
        {
            throw new InvalidOperationException($"The file of instance {record.Id} was stored as {stored}: masking must not change patient and UIDs.");
        }
    }

    // No answer does not mean not stored: the next turn reads what Orthanc holds.
    private async Task PauseAfter(OrthancException e, InstanceRecord record, int attempt, CancellationToken token)
    {
        LogNoAnswer(e, record.Id.Value, attempt);
        await Task.Delay(FirstDelay * Math.Pow(2, attempt - 1), time, token);
    }

    private static OrthancException Misdelivered(InstanceRecord record) => new($"Orthanc delivers instance {record.Id} otherwise than it was stored. Check Orthanc's disk.");

    private async Task Restore(InstanceRecord record, CancellationToken token)
    {
        await snapshots.RestoreMissing(record.JobId, record.Instance, token);
        if (journal.FindParents(record.JobId) is { } parents && parents.Parents.Any(p => p.Level == OrthancLevel.Series && p.Children <= 1))
        {
            // A parent that had only this child was born again just now; do not let it wait for the end of the job.
            await RestoreParents(record.JobId, parents, token);
        }
    }

    private async Task RestoreParents(string job, ParentsRecord record, CancellationToken token)
    {
        foreach (var parent in record.Parents)
        {
            if (await Exists(parent, token))
            {
                await snapshots.RestoreMissing(job, parent, token);
            }
        }
    }

    private async Task<bool> Exists(ResourceSnapshot resource, CancellationToken token) =>
        await orthanc.FindResource(resource.Level, new OrthancId(resource.Id), token) is not null;

    private async Task<bool> IsStill(OrthancId instance, FileInfoAnswer before, CancellationToken token) =>
        (await orthanc.FindFileInfo(instance, token))?.Uuid == before.Uuid;

    private static async Task<string> HashOf(Stream file, CancellationToken token)
    {
        file.Position = 0;
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        var buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
        try
        {
            for (int read; (read = await file.ReadAsync(buffer, token)) > 0;)
            {
                md5.AppendData(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Convert.ToHexStringLower(md5.GetHashAndReset());
    }

    // What an original became: nothing, and why; or a file, with the MD5 of both where they are known already.
    private sealed record Made
    {
        public ReplacementOutcome.Refused? Refused { get; init; }

        public MaskProof? Proof { get; init; }

        public string? OriginalMd5 { get; init; }

        public string? ResultMd5 { get; init; }

        public static Made Nothing(RefusalCause cause, string reason) => new() { Refused = new(cause, reason) };
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Instance {Instance} changed in Orthanc while it was being masked (attempt {Attempt})")]
    private partial void LogChangedMeanwhile(string instance, int attempt);

    [LoggerMessage(Level = LogLevel.Error, Message = "Masking instance {Instance} failed by a bug")]
    private partial void LogMaskerBug(Exception e, string instance);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No certain answer while storing instance {Instance} (attempt {Attempt}); reading back")]
    private partial void LogNoAnswer(Exception e, string instance, int attempt);
}
