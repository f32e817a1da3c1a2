using System.CommandLine;
using Microsoft.Extensions.Options;
using Sidecar.Dicom.Codecs;
using Sidecar.Workers;

namespace Sidecar.Commands;

/// <summary>`sidecar scan`: looks for burned-in text in files and says where it is. Needs no server, and changes nothing.</summary>
internal static class ScanCommand
{
    public static Command Create()
    {
        var inputs = new Argument<string[]>("INPUT")
        {
            Description = "DICOM files, or directories that are walked with everything below them.",
            Arity = ArgumentArity.OneOrMore,
        };
        var results = new Option<string>("--results")
        {
            Description = "File for one line of JSON per input file; - is standard output.",
            HelpName = "FILE",
            DefaultValueFactory = _ => "-",
        };
        var showText = new Option<bool>("--show-text")
        {
            Description = "Write the text that was read into the results. It may name patients: keep the results as you keep the images.",
        };
        var languages = new Option<string?>("--languages")
        {
            Description = "Languages to read, by Tesseract's names with + between them, such as eng+deu. Text in others is found all the same. Default: eng, or the setting TextModels:Languages.",
            HelpName = "LANGUAGES",
        };
        var command = new Command("scan", """
            Look for burned-in text in DICOM files and say where it is. No file is changed.

            Each line of the results is one file: its status (scanned, unsupported, failed), and its findings: frame (from 1; null: the same in all frames),
            x, y, width and height in stored pixels, confidence from 0 to 1, kind (personName, date, identifier, institution, other, harmless), and the attribute
            of the file that the text resembles. Files of one series are looked at together, which is much faster than one by one.
            A file that could not be looked at is not free of text. A person must look at the findings before anything is masked, and at what was not found.
            Exit status: 0 all scanned, 1 some files were not (each has its line), 2 wrong usage.

            Example: sidecar scan study/ --results findings.ndjson
            """)
        {
            inputs, results, showText, languages,
        };
        // Beside this thread, which must be free to hear that a person wants to stop.
        command.SetAction((call, token) => Task.Run(() => Run(call.GetValue(inputs)!, call.GetValue(results)!, call.GetValue(showText), call.GetValue(languages), token)));
        return command;
    }

    private static int Run(string[] inputs, string results, bool showText, string? languages, CancellationToken token)
    {
        try
        {
            var models = ReadSettings(languages);
            var files = InputFiles.Find(inputs, null);
            var options = new WorkerOptions();
            using var codecPool = new CodecWorkerPool(options, new Quarantine());
            using var textPool = TextScanning.CreatePool(options, models);
            var scanner = TextScanning.CreateScanner(NativeCodecs.AddTo(FrameCodecs.Managed, codecPool), textPool, models);
            if (scanner.IsWeak)
            {
                Console.Error.WriteLine($"sidecar scan: WEAK MODE, more text is missed than usual. {TextScanning.DescribeMissingDetector(models)}");
            }
            using var report = ResultLines.Open(results, files.Count, "scanned");
            return new ScanRun(scanner, files, showText, report).ScanAll(token) ? 0 : 1;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("sidecar scan: stopped. Files whose line was not written were not scanned.");
            return 1;
        }
        catch (WrongUsageException wrong)
        {
            Console.Error.WriteLine($"sidecar scan: {wrong.Message}");
            return SidecarCommandLine.WrongUsage;
        }
    }

    /// <summary>The service's settings of finding text, from the same environment.</summary>
    private static TextModelOptions ReadSettings(string? languages)
    {
        var settings = new ConfigurationBuilder().AddEnvironmentVariables("SIDECAR_").Build().GetSection(TextModelOptions.Section).Get<TextModelOptions>() ?? new TextModelOptions();
        settings = languages is null ? settings : settings with { Languages = languages };
        var fault = TextModelOptionsRules.FindFaults(settings).FirstOrDefault();
        return fault is null ? settings : throw new WrongUsageException(fault);
    }
}
