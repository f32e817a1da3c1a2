using Sidecar.Orthanc;
using Xunit;

namespace Sidecar.Tests.Orthanc;

public sealed class JournalOptionsTests : IDisposable
{
    private static readonly string Key = Convert.ToBase64String(new byte[32]);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-key-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_key_from_a_file_with_a_line_feed_is_taken()
    {
        var options = new JournalOptions { KeyFile = Write("key", Key + "\n") };

        Assert.True(Rules().Validate(null, options).Succeeded);
        Assert.Equal(new byte[32], options.ReadKey());
    }

    [Fact]
    public void What_is_no_key_is_refused_with_how_to_make_one_and_without_what_it_says()
    {
        JournalOptions[] wrong =
        [
            new(),
            new() { Key = Convert.ToBase64String(new byte[16]) },
            new() { Key = "not base 64" },
            new() { KeyFile = Path.Combine(_folder.FullName, "missing") },
            new() { KeyFile = Write("short", "AAAA") },
        ];
        Assert.All(wrong, options =>
        {
            var fault = Rules().Validate(null, options).FailureMessage;
            Assert.Contains("openssl rand -base64 32", fault, StringComparison.Ordinal);
            Assert.DoesNotContain("not base 64", fault, StringComparison.Ordinal);
        });
        Assert.Contains("not both", Rules().Validate(null, new JournalOptions { Key = Key, KeyFile = Write("key", Key) }).FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_beside_what_it_encrypts_is_refused()
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "state"));
        var inside = new JournalOptions { KeyFile = Write("state/key", Key) };
        var beside = new JournalOptions { KeyFile = Write("state-key", Key) };

        Assert.Contains("Put it elsewhere", Rules().Validate(null, inside).FailureMessage, StringComparison.Ordinal);
        Assert.True(Rules().Validate(null, beside).Succeeded);
    }

    private JournalOptions.Rules Rules() => new(Path.Combine(_folder.FullName, "state"));

    private string Write(string name, string content)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }
}
