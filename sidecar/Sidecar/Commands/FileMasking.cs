using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Files;
using Sidecar.Dicom.Masking;

namespace Sidecar.Commands;

/// <summary>The masking of one file, from its opening to the line that tells what became of it.</summary>
/// <param name="file">The input.</param>
/// <param name="target">Full path of the result.</param>
internal sealed class FileMasking(InputFile file, string target) : IDisposable
{
    private readonly string temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Guid.NewGuid():N}.part");
    private FileStream? original;
    private FileStream? result;
    private MaskLine? line;

    public InputFile File { get; } = file;

    public string Target { get; } = target;

    /// <summary>Masked and compared, not yet hashed; null where the line is known already.</summary>
    public PendingMask? Pending { get; private set; }

    /// <param name="masker">Does the work.</param>
    /// <param name="refusal">Why nothing is to be done; null where something is.</param>
    /// <param name="masks">At least one where there is no refusal.</param>
    /// <param name="token">Checked between frames.</param>
    public void Begin(InstanceMasker masker, string? refusal, IReadOnlyList<Mask> masks, CancellationToken token)
    {
        line = refusal is null ? null : MaskLine.Fail(File, refusal);
        if (line is null)
        {
            line = Try(() =>
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
                original = new FileStream(File.Path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
                result = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
                Pending = masker.Begin(original, result, masks, token);
                return null;
            });
        }
    }

    public MaskLine End() => line ?? Try(() =>
    {
        var outcome = Pending!.Complete();
        if (outcome is MaskOutcome.Masked)
        {
            System.IO.File.Move(temporary, Target, overwrite: true);
        }
        else
        {
            // What an earlier run left under this name is not this file's result.
            System.IO.File.Delete(Target);
        }
        return MaskLine.From(File, outcome, outcome is MaskOutcome.Masked ? null : ReadTransferSyntax(original!));
    })!;

    public void Dispose()
    {
        Pending?.Dispose();
        original?.Dispose();
        if (result is not null)
        {
            result.Dispose();
            System.IO.File.Delete(temporary);
        }
    }

    private MaskLine? Try(Func<MaskLine?> work)
    {
        try
        {
            return work();
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
        {
            return MaskLine.Fail(File, $"The file cannot be read, or its result cannot be written: {broken.Message}");
        }
        catch (Exception bug) when (bug is not OperationCanceledException)
        {
            // One file's misfortune must not cost the others their masks.
            return MaskLine.Fail(File, $"This is a fault of this software, please report it with the file's kind: {bug.GetType().Name} in {bug.TargetSite?.DeclaringType?.Name}.");
        }
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
