using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Sidecar.Tests.Http;
using Xunit;

namespace Sidecar.Tests.Scans;

public sealed class ScanEndpointTests
{
    [Fact]
    public async Task A_reviewer_has_one_study_scanned_again_and_only_an_administrator_more()
    {
        await using var app = new SidecarApp();
        app.Orthanc = r => r.RequestUri!.AbsolutePath == "/tools/lookup" ? SidecarApp.Json("""[{"ID":"a","Type":"Study"}]""") : new HttpResponseMessage(HttpStatusCode.NotFound);
        using var reviewer = app.ClientWith("image-review");
        using var administrator = app.ClientWith("sidecar-administrator");

        using var one = await reviewer.PostAsJsonAsync("/api/scans", new { study = "1.2" });
        Assert.Equal(HttpStatusCode.Accepted, one.StatusCode);
        var run = JsonNode.Parse(await one.Content.ReadAsStringAsync())!;
        Assert.Equal(("study", "running", "1.2"), ((string)run["kind"]!, (string)run["state"]!, (string)run["study"]!));
        using var forbidden = await reviewer.PostAsJsonAsync("/api/scans", new { query = new { modality = "US" } });
        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
        using var forbiddenToo = await reviewer.PostAsync($"/api/scans/{run["id"]}/cancel", null);
        Assert.Equal(HttpStatusCode.Forbidden, forbiddenToo.StatusCode);

        using var bulk = await administrator.PostAsJsonAsync("/api/scans", new { query = new { modality = "US", dateFrom = "2026-01-31", neverScanned = true } });
        Assert.Equal(HttpStatusCode.Accepted, bulk.StatusCode);
        var id = (string)JsonNode.Parse(await bulk.Content.ReadAsStringAsync())!["id"]!;
        foreach (var (act, state) in (IEnumerable<(string, string)>)[("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")])
        {
            using var answer = await administrator.PostAsync($"/api/scans/{id}/{act}", null);
            Assert.Equal(state, (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["state"]!);
        }

        using var late = await administrator.PostAsync($"/api/scans/{id}/resume", null);
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
        var list = JsonNode.Parse(await reviewer.GetStringAsync("/api/scans"))!["runs"]!.AsArray();
        Assert.Equal([(string)run["id"]!, id], list.Select(r => (string)r!["id"]!));
        Assert.Equal("2026-01-31", (string)list[1]!["query"]!["dateFrom"]!);
    }

    [Theory]
    [InlineData("{}", 400, "study or query")]
    [InlineData("""{"study":"1.2","query":{}}""", 400, "study or query")]
    [InlineData("""{"study":"x"}""", 400, "Study Instance UID")]
    [InlineData("""{"query":{"dateFrom":"2026-02-01","dateTo":"2026-01-01"}}""", 400, "dateFrom is after dateTo")]
    [InlineData("""{"query":{},"priority":"person"}""", 400, "always bulk")]
    [InlineData("""{"query":{"dateFrom":"yesterday"}}""", 400, "not what the API describes")]
    [InlineData("""{"study":"1.2"}""", 404, "not in the image archive")]
    public async Task What_cannot_be_scanned_is_refused_in_words(string body, int status, string words)
    {
        await using var app = new SidecarApp();
        app.Orthanc = _ => SidecarApp.Json("[]");
        using var client = app.ClientWith("image-review", "sidecar-administrator");
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync("/api/scans", content);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(words, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
