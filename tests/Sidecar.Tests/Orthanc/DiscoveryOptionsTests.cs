using System.Diagnostics;
using Sidecar.Orthanc;
using Xunit;

namespace Sidecar.Tests.Orthanc;

public sealed class DiscoveryOptionsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-wake-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_wake_file_may_be_empty_written_linked_or_still_missing()
    {
        File.WriteAllBytes(At("empty"), []);
        File.WriteAllBytes(At("written"), [49]);
        File.CreateSymbolicLink(At("link"), At("empty"));

        Assert.All(["empty", "written", "link", "missing"], name => Assert.True(Validate(At(name)).Succeeded, name));
        Assert.True(new DiscoveryOptionsRules().Validate(null, new DiscoveryOptions()).Succeeded);
    }

    [Fact]
    public void A_pipe_a_folder_or_a_device_as_wake_file_is_refused_with_what_to_do()
    {
        using (var process = Process.Start("mkfifo", At("pipe")))
        {
            process.WaitForExit();
        }

        Directory.CreateDirectory(At("folder"));
        File.CreateSymbolicLink(At("link"), At("pipe"));

        Assert.All([At("pipe"), At("folder"), At("link"), "/dev/null"], path => Assert.Contains("make it a plain file", Validate(path).FailureMessage, StringComparison.Ordinal));
    }

    private static Microsoft.Extensions.Options.ValidateOptionsResult Validate(string path) => new DiscoveryOptionsRules().Validate(null, new DiscoveryOptions { WakeFile = path });

    private string At(string name) => Path.Combine(_folder.FullName, name);
}
