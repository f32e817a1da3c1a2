using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Sidecar.Dicom.Masking;

namespace Sidecar.Commands;

/// <summary>Masks a list of files on all cores. A result appears under its name only when it is whole and proved.</summary>
internal sealed class MaskRun(InstanceMasker masker, MaskChoice choice, DirectoryInfo output, IReadOnlyList<InputFile> files, ResultLines report)
{
    /// <summary>Short files are masked in groups, whose files are hashed together: eight hashes take little longer than two.</summary>
    private const int FilesInGroup = 4;
    private const long MostBytesInGroup = 1 << 20;

    private readonly HashSet<string> inputPaths = files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
    private readonly HashSet<InputFile> taken = files.GroupBy(file => file.Output, StringComparer.OrdinalIgnoreCase).SelectMany(group => group.Skip(1)).ToHashSet();

    /// <summary>Whether every file was masked.</summary>
    public bool MaskAll(CancellationToken token)
    {
        var allMasked = true;
        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = token };
        try
        {
            Parallel.ForEach(Partitioner.Create(Group(files), EnumerablePartitionerOptions.NoBuffering), options, group =>
            {
                if (!MaskGroup(group, token))
                {
                    Volatile.Write(ref allMasked, false);
                }
            });
        }
        catch (AggregateException several)
        {
            // A stop, or a results file that cannot be written: each file's own misfortune is in its line.
            ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }
        return allMasked;
    }

    private static IEnumerable<IReadOnlyList<InputFile>> Group(IReadOnlyList<InputFile> files)
    {
        var group = new List<InputFile>();
        foreach (var file in files)
        {
            // A file that has vanished meanwhile says so when it is opened.
            if (new FileInfo(file.Path) is not { Exists: true, Length: <= MostBytesInGroup })
            {
                yield return [file];
                continue;
            }
            group.Add(file);
            if (group.Count == FilesInGroup)
            {
                yield return group;
                group = [];
            }
        }
        if (group.Count > 0)
        {
            yield return group;
        }
    }

    private bool MaskGroup(IReadOnlyList<InputFile> group, CancellationToken token)
    {
        var works = new List<FileMasking>();
        try
        {
            foreach (var file in group)
            {
                works.Add(new FileMasking(file, Path.GetFullPath(Path.Combine(output.FullName, file.Output))));
                works[^1].Begin(masker, Refuse(works[^1]), choice.MasksFor(file.Name), token);
            }
            PendingMask.HashTogether(works.Select(work => work.Pending).OfType<PendingMask>());
            var allMasked = true;
            foreach (var work in works)
            {
                var line = work.End();
                allMasked &= line.Status == MaskLine.Masked;
                report.Write(line.WriteTo, line.Status == MaskLine.Masked);
            }
            return allMasked;
        }
        finally
        {
            works.ForEach(work => work.Dispose());
        }
    }

    private string? Refuse(FileMasking work) =>
        inputPaths.Contains(work.Target) ? "The result would overwrite an input. Choose another directory for --out."
        : taken.Contains(work.File) ? "Another input has the same name, so their results would be one file. Mask them into different directories."
        : choice.MasksFor(work.File.Name).Count == 0 ? "The regions file has no region for this file."
        : null;
}
