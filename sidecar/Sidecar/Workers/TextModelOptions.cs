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

    /// <summary>Null where the detector is not installed: scanning is then done in the weak mode, and says so.</summary>
    public TextModelFiles? FindFiles() => TextModelFiles.Find(Directory);

    /// <summary>One sentence for each language that is not installed, with the name of its Debian package.</summary>
    public IEnumerable<string> FindMissingLanguages() => Languages.Split('+')
        .Where(language => !File.Exists(Path.Combine(LanguageDirectory, language + ".traineddata")))
        .Select(language => $"Tesseract's language {language} is not in {LanguageDirectory}. Install the Debian package {PackageOf(language)}, or change TextModels:Languages.");

    /// <summary>Debian's names have hyphens and no capitals: chi_sim is in tesseract-ocr-chi-sim, script/Cyrillic in tesseract-ocr-script-cyrl.</summary>
    private static string PackageOf(string language) => language.StartsWith("script/", StringComparison.Ordinal)
        ? "tesseract-ocr-script-… of that script"
        : $"tesseract-ocr-{language.Replace('_', '-').ToLowerInvariant()}";
}

/// <summary>A language that is set and not there would leave text unread without a word, so it is a fault of the settings.</summary>
internal sealed class TextModelOptionsRules : IValidateOptions<TextModelOptions>
{
    public ValidateOptionsResult Validate(string? name, TextModelOptions options) =>
        options.FindMissingLanguages().ToList() is { Count: > 0 } missing ? ValidateOptionsResult.Fail(missing) : ValidateOptionsResult.Success;
}
