using System.IO.Enumeration;

namespace Sidecar.Commands;

/// <summary>One file to work on.</summary>
/// <param name="Path">Full path.</param>
/// <param name="Name">As results call it: relative to the INPUT directory it was found under, or the argument itself.</param>
/// <param name="Output">Where its result goes, relative to the output directory. Slashes on every system.</param>
internal sealed record InputFile(string Path, string Name, string Output);

/// <summary>Turns INPUT arguments into files.</summary>
internal static class InputFiles
{
    /// <summary>Every file, in a stable order; files in the output directory are left out, because a walk must not eat its own results.</summary>
    /// <param name="inputs">As the person wrote them.</param>
    /// <param name="output">Null where nothing is written.</param>
    /// <exception cref="WrongUsageException">An input does not exist or cannot be listed.</exception>
    public static IReadOnlyList<InputFile> Find(IReadOnlyList<string> inputs, DirectoryInfo? output)
    {
        var files = new List<InputFile>();
        var outputPrefix = output is null ? null : Path.TrimEndingDirectorySeparator(output.FullName) + Path.DirectorySeparatorChar;
        foreach (var input in inputs)
        {
            if (File.Exists(input))
            {
                files.Add(new InputFile(Path.GetFullPath(input), input, Path.GetFileName(input)));
                continue;
            }
            if (!Directory.Exists(input))
            {
                throw new WrongUsageException($"The input {input} does not exist.");
            }
            var root = Path.GetFullPath(input);
            var isOutput = Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar == outputPrefix;
            try
            {
                files.AddRange(Walk(root)
                    .Where(path => isOutput || outputPrefix is null || !path.StartsWith(outputPrefix, StringComparison.Ordinal))
                    .Order(StringComparer.Ordinal)
                    .Select(path => (Path: path, Name: Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/')))
                    .Select(found => new InputFile(found.Path, found.Name, found.Name)));
            }
            catch (Exception broken) when (broken is IOException or UnauthorizedAccessException)
            {
                throw new WrongUsageException($"The input {input} cannot be listed: {broken.Message}");
            }
        }
        return files;
    }

    /// <summary>All files below a directory; links to files count, links to directories are not followed, because they may lead in circles.</summary>
    private static FileSystemEnumerable<string> Walk(string root) =>
        new(root, (ref FileSystemEntry entry) => entry.ToFullPath(), new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, AttributesToSkip = 0 })
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
            ShouldRecursePredicate = (ref FileSystemEntry entry) => !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        };
}
