using System.CommandLine;
using Sidecar.Dicom.Codecs;
using Sidecar.Dicom.Masking;
using Sidecar.Workers;

namespace Sidecar.Commands;

/// <summary>`sidecar mask`: burns regions into files and writes the masked copies to another folder. Needs no server.</summary>
internal static class MaskCommand
{
    public static Command Create()
    {
        var inputs = new Argument<string[]>("INPUT")
        {
            Description = "DICOM files, or directories that are walked with everything below them.",
            Arity = ArgumentArity.OneOrMore,
        };
        var regions = new Option<string[]>("--region")
        {
            Description = "X,Y,WIDTH,HEIGHT of a rectangle in stored pixels, the origin at the top left. May be given several times.",
            HelpName = "X,Y,WIDTH,HEIGHT",
        };
        var regionsFile = new Option<FileInfo?>("--regions")
        {
            Description = "A JSON file that maps a file's relative path (or * for all others) to its list of {\"x\",\"y\",\"width\",\"height\"}.",
            HelpName = "FILE",
        };
        var frames = new Option<string?>("--frames")
        {
            Description = "Frames to mask, 1-based, such as 1-5,9. All frames when not given.",
            HelpName = "FRAMES",
        };
        var output = new Option<DirectoryInfo>("--out")
        {
            Description = "Directory for the masked copies; relative paths are kept. Earlier results in it are replaced, inputs never.",
            HelpName = "DIR",
            Required = true,
        };
        var results = new Option<string>("--results")
        {
            Description = "File for one line of JSON per input file; - is standard output.",
            HelpName = "FILE",
            DefaultValueFactory = _ => "-",
        };
        var command = new Command("mask", """
            Burn black rectangles into DICOM files and write masked copies.

            Each copy is read back and compared with its original before it is kept: black inside, unchanged outside.
            A file that cannot be masked exactly leaves no copy and says why. Originals are never changed.
            Exit status: 0 all masked, 1 some files were not (each has its line in the results), 2 wrong usage.

            Example: sidecar mask study/ --region 0,0,640,40 --out masked/
            """)
        {
            inputs, regions, regionsFile, frames, output, results,
        };
        // Beside this thread, which must be free to hear that a person wants to stop.
        command.SetAction((call, token) => Task.Run(() => Run(
            call.GetValue(inputs)!, call.GetValue(regions) ?? [], call.GetValue(regionsFile), call.GetValue(frames), call.GetValue(output)!, call.GetValue(results)!, token)));
        return command;
    }

    private static int Run(string[] inputs, string[] regions, FileInfo? regionsFile, string? frames, DirectoryInfo output, string results, CancellationToken token)
    {
        try
        {
            var choice = MaskChoice.Parse(regions, regionsFile, frames);
            var files = InputFiles.Find(inputs, output);
            using var report = ResultLines.Open(results, files.Count, "masked");
            using var pool = new CodecWorkerPool(new WorkerOptions(), new Quarantine());
            return new MaskRun(new InstanceMasker(NativeCodecs.AddTo(FrameCodecs.Managed, pool)), choice, output, files, report).MaskAll(token) ? 0 : 1;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("sidecar mask: stopped. Files whose line was not written were not masked.");
            return 1;
        }
        catch (WrongUsageException wrong)
        {
            Console.Error.WriteLine($"sidecar mask: {wrong.Message}");
            return SidecarCommandLine.WrongUsage;
        }
    }
}

/// <summary>The call asks for something that cannot be done, whatever the files hold. The message tells the person at the keyboard what to change.</summary>
internal sealed class WrongUsageException(string message) : Exception(message);
