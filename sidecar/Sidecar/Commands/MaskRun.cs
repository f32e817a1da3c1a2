using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Masking;

namespace Sidecar.Commands;

/// <summary>Masks a list of files on all cores. A result appears under its name only when it is whole and proved.</summary>
internal sealed class MaskRun(InstanceMasker masker, MaskChoice choice, DirectoryInfo output, IReadOnlyList<InputFile> files, MaskReport report)
{
    /// <summary>Whether every file was masked.</summary>
    public bool MaskAll(CancellationToken token)
    {
        var inputPaths = files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
        var taken = files.GroupBy(file => file.Output, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1)
            .SelectMany(group => group.Skip(1)).ToHashSet();
        var allMasked = true;
        try
        {
            Parallel.ForEach(Partitioner.Create(files, EnumerablePartitionerOptions.NoBuffering), new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = token }, file =>
            {
                var line = MaskOne(file, inputPaths, taken, token);
                if (line.Status != MaskLine.Masked)
                {
                    Volatile.Write(ref allMasked, false);
                }
                report.Write(line);
            });
        }
        catch (AggregateException several)
        {
            // A stop, or a results file that cannot be written: each file's own misfortune is in its line.
            ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }
        return allMasked;
    }

    private MaskLine MaskOne(InputFile file, HashSet<string> inputPaths, HashSet<InputFile> taken, CancellationToken token)
    {
        var target = Path.GetFullPath(Path.Combine(output.FullName, file.Output));
        if (inputPaths.Contains(target))
        {
            return MaskLine.Fail(file, "The result would overwrite an input. Choose another directory for --out.");
        }
        if (taken.Contains(file))
        {
            return MaskLine.Fail(file, "Another input has the same name, so their results would be one file. Mask them into different directories.");
        }
        if (choice.MasksFor(file.Name) is not { Count: > 0 } masks)
        {
            return MaskLine.Fail(file, "The regions file has no region for this file.");
        }
        var temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Guid.NewGuid():N}.part");
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            var (outcome, transferSyntax) = MaskTo(file, temporary, masks, token);
            if (outcome is MaskOutcome.Masked)
            {
                File.Move(temporary, target, overwrite: true);
            }
            else
            {
                // What an earlier run left under this name is not this file's result.
                File.Delete(target);
            }
            return MaskLine.From(file, outcome, transferSyntax);
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
        {
            return MaskLine.Fail(file, $"The file cannot be read, or its result cannot be written: {broken.Message}");
        }
        catch (Exception bug) when (bug is not OperationCanceledException)
        {
            // One file's misfortune must not cost the others their masks.
            return MaskLine.Fail(file, $"This is a fault of this software, please report it with the file's kind: {bug.GetType().Name} in {bug.TargetSite?.DeclaringType?.Name}.");
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private (MaskOutcome Outcome, string? TransferSyntax) MaskTo(InputFile file, string path, IReadOnlyList<Mask> masks, CancellationToken token)
    {
        using var original = new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        using var result = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        var outcome = masker.BurnMasks(original, result, masks, token);
        return (outcome, outcome is MaskOutcome.Masked ? null : ReadTransferSyntax(original));
    }

    /// <summary>For the line of a file that was not masked: helps to see at a glance which syntaxes an archive needs.</summary>
    private static string? ReadTransferSyntax(FileStream original)
    {
        try
        {
            return FileMeta.Read(original).TransferSyntaxUid is var uid && TransferSyntaxSupport.Find(uid).Name != uid ? uid : null;
        }
        catch (DicomFormatException)
        {
            return null;
        }
    }
}
