using System.Globalization;
using System.Text;
using Sidecar.Dicom.Masking;
using Xunit;

namespace Sidecar.Tests.Dicom;

/// <summary>The fingerprint of frames, against what others compute.</summary>
public sealed class XxHash64Tests
{
    // As the reference implementation's documentation and tests publish them.
    [Theory]
    [InlineData("", 0xEF46DB3751D8E999)]
    [InlineData("a", 0xD24EC4F1A98C6E5B)]
    [InlineData("abc", 0x44BC2CF5AD770999)]
    [InlineData("Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1)]
    public void Hash_PublishedText_GivesThePublishedValue(string text, ulong expected) =>
        Assert.Equal(expected, XxHash64.Hash(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Hash_EveryLength_IsWhatXxhsumSays() => Oracle.InFolder(folder =>
    {
        var random = new Random(64);
        var files = Enumerable.Range(0, 100).Append(4096).Append(100_003).Select(length =>
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            var path = Path.Combine(folder, length.ToString(CultureInfo.InvariantCulture));
            File.WriteAllBytes(path, bytes);
            return (Path: path, Hash: XxHash64.Hash(bytes).ToString("x16", CultureInfo.InvariantCulture));
        }).ToList();

        var theirs = Oracle.Run("xxhsum", ["-H1", .. files.Select(file => file.Path)]).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(files.Select(file => $"{file.Hash}  {file.Path}"), theirs);
        return files.Count;
    });
}
