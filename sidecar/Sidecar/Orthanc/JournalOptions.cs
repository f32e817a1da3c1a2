using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Sidecar.Orthanc;

/// <summary>The key that encrypts originals while they are being replaced. Section <c>Journal</c>.</summary>
internal sealed record JournalOptions
{
    private const string Advice = "make one with: openssl rand -base64 32";

    /// <summary>32 random bytes in Base64; better in a file.</summary>
    public string Key { get; init; } = "";

    /// <summary>A file with the key and nothing else, outside of Storage:Directory; instead of <see cref="Key"/>.</summary>
    public string? KeyFile { get; init; }

    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="FormatException">It is not a key.</exception>
    public byte[] ReadKey()
    {
        var text = KeyFile is null ? Key : File.ReadAllText(KeyFile);
        return Convert.FromBase64String(text.Trim()) is { Length: Storage.EncryptedStream.KeyBytes } key ? key : throw new FormatException("The key does not have 32 bytes.");
    }

    /// <summary>Rules between fields, and with the folder that the key protects.</summary>
    internal sealed class Rules(string? storageDirectory) : IValidateOptions<JournalOptions>
    {
        public ValidateOptionsResult Validate(string? name, JournalOptions options)
        {
            if (options is { KeyFile: null, Key: "" })
            {
                return ValidateOptionsResult.Fail($"Journal:KeyFile (SIDECAR_Journal__KeyFile) is missing: give a file with the key that encrypts originals while they are being replaced; {Advice}");
            }
            if (options.KeyFile is not null && options.Key.Length > 0)
            {
                return ValidateOptionsResult.Fail("Journal: give Key or KeyFile, not both.");
            }
            try
            {
                options.ReadKey();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
            {
                return ValidateOptionsResult.Fail(options.KeyFile is { } file
                    ? $"Journal:KeyFile {file} cannot be read or does not hold 32 bytes in Base64; {Advice}"
                    : $"Journal:Key does not hold 32 bytes in Base64; {Advice}");
            }
            return options.KeyFile is { } path && !string.IsNullOrEmpty(storageDirectory) && IsBelow(path, storageDirectory)
                ? ValidateOptionsResult.Fail($"Journal:KeyFile {path} lies in Storage:Directory, beside what it encrypts. Put it elsewhere, so that a copy of that folder shows nobody an image.")
                : ValidateOptionsResult.Success;
        }

        private static bool IsBelow(string path, string folder) =>
            Path.GetFullPath(path).StartsWith(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }
}
