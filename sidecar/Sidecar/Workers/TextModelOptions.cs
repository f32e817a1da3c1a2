using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Sidecar.Worker;

namespace Sidecar.Workers;

/// <summary>What finding and reading text needs beside the program. Section <c>TextModels</c>.</summary>
public sealed record TextModelOptions
{
    public const string Section = "TextModels";

    /// <summary>The folder with the detector's model and runtime; empty: beside the executable, or in the repository it was built in.</summary>
    public string Directory { get; init; } = "";

    /// <summary>Languages that Tesseract reads, by its own names with + between them. The first decides in doubt, and each takes its time.</summary>
    [Required(ErrorMessage = "TextModels:Languages must name at least one of Tesseract's languages, e.g. eng.")]
    [RegularExpression("[A-Za-z_]+(/[A-Za-z_]+)?([+][A-Za-z_]+(/[A-Za-z_]+)?)*", ErrorMessage = "TextModels:Languages must be Tesseract's names with + between them, e.g. eng+deu.")]
    public string Languages { get; init; } = "eng";

    /// <summary>Where Tesseract's languages are installed.</summary>
    [Required(ErrorMessage = "TextModels:LanguageDirectory must name the folder with Tesseract's .traineddata files.")]
    public string LanguageDirectory { get; init; } = "/usr/share/tesseract-ocr/5/tessdata";

    /// <summary>A site's own harmless markings, added to the built-in ones; empty: none. Written like harmless.txt in Sidecar.Dicom/Text/Kinds.</summary>
    public string HarmlessFile { get; init; } = "";

    /// <summary>Null where the detector is not installed: scanning is then done in the weak mode, and says so.</summary>
    public TextModelFiles? FindFiles() => TextModelFiles.Find(Directory);

    /// <summary>Null where the site's list of harmless markings is there, or none is named.</summary>
    public string? FindHarmlessFault() => HarmlessFile.Length == 0 || File.Exists(HarmlessFile) ? null : $"TextModels:HarmlessFile names {HarmlessFile}, which is not there or not readable.";

    /// <summary>One sentence for each language that is not installed, with the name of its Debian package.</summary>
    public IEnumerable<string> FindMissingLanguages() => Languages.Split('+')
        .Where(language => !File.Exists(Path.Combine(LanguageDirectory, language + ".traineddata")))
        .Select(language => $"Tesseract's language {language} is not in {LanguageDirectory}. Install the Debian package {PackageOf(language)}, or change TextModels:Languages.");

    /// <summary>Debian's names have hyphens and no capitals: chi_sim is in tesseract-ocr-chi-sim, script/Cyrillic in tesseract-ocr-script-cyrl.</summary>
    private static string PackageOf(string language) => language.StartsWith("script/", StringComparison.Ordinal)
        ? "tesseract-ocr-script-… of that script"
        : $"tesseract-ocr-{language.Replace('_', '-').ToLowerInvariant()}";
}

/// <summary>A language that is set and not there would leave text unread without a word, so it is a fault of the settings; a lost list of markings likewise.</summary>
internal sealed class TextModelOptionsRules : IValidateOptions<TextModelOptions>
{
    public ValidateOptionsResult Validate(string? name, TextModelOptions options) =>
        FindMissing(options).ToList() is { Count: > 0 } missing ? ValidateOptionsResult.Fail(missing) : ValidateOptionsResult.Success;

    /// <summary>What attributes and rules find wrong, for a call that has no service to check its options.</summary>
    public static IEnumerable<string> FindFaults(TextModelOptions options)
    {
        var wrong = new List<ValidationResult>();
        return Validator.TryValidateObject(options, new ValidationContext(options), wrong, validateAllProperties: true)
            ? FindMissing(options)
            : wrong.Select(result => result.ErrorMessage ?? "");
    }

    private static IEnumerable<string> FindMissing(TextModelOptions options) =>
        options.FindHarmlessFault() is { } fault ? options.FindMissingLanguages().Append(fault) : options.FindMissingLanguages();
}
