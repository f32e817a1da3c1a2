using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Sidecar.Audit;
using Xunit;

namespace Sidecar.Tests.Audit;

public sealed class ServiceAuditTests : IAsyncLifetime
{
    private AuditDatabase _audit = null!;

    public async Task InitializeAsync() => _audit = await AuditDatabase.Create();

    public Task DisposeAsync()
    {
        _audit.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_start_tells_the_settings_and_what_changed_since_the_last_one_but_no_secret()
    {
        await StartAndStop(("Orthanc:BaseUrl", "http://a"), ("Orthanc:Password", "geheim"), ("MaskJobs:ConcurrentJobs", "2"));
        await StartAndStop(("Orthanc:BaseUrl", "http://a"), ("Orthanc:Password", "anders"), ("MaskJobs:ConcurrentJobs", "2"));
        await StartAndStop(("Orthanc:BaseUrl", "http://b"), ("Orthanc:PasswordFile", "/run/secret"), ("MaskJobs:ConcurrentJobs", "2"));

        var rows = await _audit.Rows();
        Assert.Equal(["serviceStarted", "serviceStopped", "serviceStarted", "serviceStopped", "settingsChanged", "serviceStarted", "serviceStopped"], rows.Select(r => r.Action));
        Assert.Equal("""{"settings":{"MaskJobs:ConcurrentJobs":"2","Orthanc:BaseUrl":"http://a","Orthanc:Password":"(set)"}}""", rows[0].Details);
        Assert.Equal(
            """{"changes":[{"setting":"Orthanc:BaseUrl","before":"http://a","after":"http://b"},{"setting":"Orthanc:Password","before":"(set)","after":null},{"setting":"Orthanc:PasswordFile","before":null,"after":"/run/secret"}]}""",
            rows[4].Details);
        Assert.True((await _audit.Verify()).Holds);
    }

    private async Task StartAndStop(params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value))).Build();
        using var service = new ServiceAudit(_audit.Database, _audit.Log, configuration, TimeProvider.System, NullLogger<ServiceAudit>.Instance);
        await service.StartAsync(default);
        await service.ExecuteTask!;
        await service.StopAsync(default);
    }
}
