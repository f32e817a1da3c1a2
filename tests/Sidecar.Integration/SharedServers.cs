using System.Net.Http.Json;

namespace Sidecar.Integration;

/// <summary>One Orthanc and one sidecar for the tests of a class that kill neither and set nothing: starting both for each test took longer than all they ask.</summary>
public sealed class SharedServers : IAsyncLifetime
{
    private OrthancServer? _orthanc;
    private SidecarProcess? _sidecar;

    public async Task InitializeAsync()
    {
        _orthanc = await OrthancServer.Start();
        _sidecar = await SidecarProcess.Start(_orthanc.Address);
    }

    /// <summary>Both, the archive without an image. The sidecar's jobs and audit stay; each test has a study of its own.</summary>
    internal async Task<(OrthancServer Orthanc, SidecarProcess Sidecar)> Empty()
    {
        foreach (var patient in (await _orthanc!.Http.GetFromJsonAsync<string[]>("patients"))!)
        {
            (await _orthanc.Http.DeleteAsync($"patients/{patient}")).EnsureSuccessStatusCode();
        }

        Assert.Empty(await _orthanc.ListInstances());
        return (_orthanc, _sidecar!);
    }

    public async Task DisposeAsync()
    {
        if (_sidecar is not null)
        {
            await _sidecar.DisposeAsync();
        }

        if (_orthanc is not null)
        {
            await _orthanc.DisposeAsync();
        }
    }
}
