using Sidecar.Dicom.Codecs;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>What docs/conformance.md promises is what the code does.</summary>
public sealed class ConformanceDocumentTests
{
    [Fact]
    public void The_document_lists_each_transfer_syntax_as_the_code_treats_it()
    {
        var expected = TransferSyntaxSupport.All.Select(entry => $"{entry.Uid} | {entry.Name} | {(entry.CanMask ? "yes" : "no")}");

        var documented = File.ReadLines(FindDocument())
            .Where(line => line.StartsWith("| 1.2.840.", StringComparison.Ordinal))
            .Select(line => string.Join(" | ", line.Trim('|', ' ').Split(" | ").Take(3)));

        Assert.Equal(expected, documented);
    }

    private static string FindDocument()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Sidecar.sln")))
        {
            folder = folder.Parent ?? throw new FileNotFoundException("The tests do not run inside the repository.");
        }
        return Path.Combine(folder.FullName, "docs", "conformance.md");
    }
}
