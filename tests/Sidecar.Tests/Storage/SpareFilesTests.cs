using Sidecar.Storage;
using Xunit;

namespace Sidecar.Tests.Storage;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class SpareFilesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-spares-");
    private readonly SpareFiles _spares = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_file_that_was_given_is_taken_again_for_the_service_alone()
    {
        Write("a.record", "first");
        _spares.Give(PathOf("a.record"));

        using (var file = _spares.Take(PathOf("b.record")))
        {
            Assert.Equal(5, file.Length);
            Assert.True(file.CanRead && file.CanWrite);
        }

        Assert.Equal(["b.record"], Names());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PathOf("b.record")));
    }

    [Fact]
    public void A_file_is_taken_once()
    {
        Write("a.record", "first");
        _spares.Give(PathOf("a.record"));

        using var first = _spares.Take(PathOf("b.record"));
        using var second = _spares.Take(PathOf("c.record"));

        Assert.Equal((5, 0), (first.Length, second.Length));
        Assert.Equal(["b.record", "c.record"], Names());
    }

    [Theory]
    [InlineData("b.original", "of another kind")]
    [InlineData("other/b.record", "of another folder")]
    public void A_file_stays_what_and_where_it_was(string taken, string why)
    {
        _folder.CreateSubdirectory("other");
        Write("a.record", "first");
        _spares.Give(PathOf("a.record"));

        using var file = _spares.Take(PathOf(taken));

        Assert.True(file.Length == 0, why);
        Assert.Single(Names(), n => n.EndsWith(".record.spare", StringComparison.Ordinal));
    }

    [Fact]
    public void A_folder_that_was_forgotten_is_left_alone_and_others_are_not_forgotten_with_it()
    {
        _folder.CreateSubdirectory("other");
        Write("a.record", "first");
        Write("other/a.record", "second");
        _spares.Give(PathOf("a.record"));
        _spares.Give(PathOf("other/a.record"));

        _spares.Forget(_folder.FullName);
        using var file = _spares.Take(PathOf("b.record"));
        using var others = _spares.Take(PathOf("other/b.record"));

        Assert.Equal((0, 6), (file.Length, others.Length));
    }

    [Fact]
    public void Nothing_is_given_where_nothing_is()
    {
        _spares.Give(PathOf("a.record"));

        Assert.Empty(Names());
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private IEnumerable<string> Names() => _folder.EnumerateFiles().Select(f => f.Name).Order();

    private void Write(string name, string content)
    {
        using var file = PrivateFiles.Create(PathOf(name));
        file.Write(System.Text.Encoding.ASCII.GetBytes(content));
    }
}
