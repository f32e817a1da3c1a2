using System.Text.Json.Nodes;
using Sidecar.Tests.Dicom;
using Xunit;

namespace Sidecar.Tests.Http;

public sealed class OpenApiTests
{
    [Fact]
    public async Task The_committed_description_is_what_the_service_serves()
    {
        await using var app = new SidecarApp();
        using var client = app.ClientWith();

        var served = JsonNode.Parse(await client.GetStringAsync("/openapi/v1.json"));
        var committed = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Oracle.RepositoryRoot, "sidecar", "Sidecar", "openapi.json")));

        Assert.True(JsonNode.DeepEquals(served, committed), "sidecar/Sidecar/openapi.json is stale: build the Sidecar project and commit the file.");
    }
}
