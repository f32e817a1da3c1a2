using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Sidecar.Audit;
using Sidecar.Tests.Http;
using Xunit;

namespace Sidecar.Tests.Audit;

public sealed class AuditEndpointTests(SharedApp shared) : IClassFixture<SharedApp>, IAsyncDisposable
{
    private readonly SidecarApp _app = new();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task A_missing_permission_is_written_down_before_it_is_answered()
    {
        using var client = _app.ClientWith();

        using var refused = await client.GetAsync("/api/mask-jobs?study=1.2.3");

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        var row = Assert.Single(await AuditRows.Read(_app), r => r.Action == "refused");
        Assert.Equal(("mia", "Mia Masker"), (row.Subject, row.Name));
        Assert.Equal("""{"method":"GET","path":"/api/mask-jobs","status":403,"problem":"urn:sidecar:problem:forbidden"}""", row.Details);
    }

    [Fact]
    public async Task A_mask_job_that_is_refused_is_written_down_with_the_reason_for_programs()
    {
        using var client = _app.ClientWith("image-masking");

        using var refused = await client.PostAsJsonAsync("/api/mask-jobs", new
        {
            studyInstanceUid = "1.2",
            source = new { seriesInstanceUid = "1.3", sopInstanceUid = "1.4" },
            regions = (object[])[new { x = 0, y = 0, width = 1, height = 1 }],
            scope = "image",
        });

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        var row = Assert.Single(await AuditRows.Read(_app), r => r.Action == "refused");
        Assert.Equal("""{"method":"POST","path":"/api/mask-jobs","status":400,"problem":"urn:sidecar:problem:idempotency-key"}""", row.Details);
    }

    [Fact]
    public async Task A_session_is_one_row_however_often_its_token_is_used_or_renewed()
    {
        for (var i = 0; i < 3; i++)
        {
            using var client = _app.ClientWithToken(_app.Issuer.Create("mia", "Mia Masker", ["image-masking"], t => t.Claims["sid"] = "session-1"));
            client.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.7");
            await client.GetStringAsync("/api/me");
            _app.Clock.Ahead += TimeSpan.FromMinutes(9);
        }

        using var later = _app.ClientWithToken(_app.Issuer.Create("mia", "Mia Masker", [], t => t.Claims["sid"] = "session-2"));
        await later.GetStringAsync("/api/me");

        var rows = (await AuditRows.Read(_app)).Where(r => r.Action == "loggedIn").ToList();
        Assert.Equal(["""{"address":"192.0.2.7","permissions":["mask","confirm"]}""", """{"address":null,"permissions":[]}"""], rows.Select(r => r.Details));
        Assert.DoesNotContain("session-1", string.Concat(rows), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_name_for_sessions_half_an_hour_of_silence_begins_a_new_one()
    {
        foreach (var pause in (int[])[0, 10, 10, 10, 31])
        {
            _app.Clock.Ahead += TimeSpan.FromMinutes(pause);
            using var client = _app.ClientWithToken(_app.Issuer.Create("mia", "Mia Masker", [], t => t.Expires = t.Expires!.Value.AddHours(3)));
            await client.GetStringAsync("/api/me");
        }

        Assert.Equal(2, (await AuditRows.Read(_app)).Count(r => r.Action == "loggedIn"));
    }

    [Fact]
    public async Task Refused_tokens_are_written_down_by_reason_and_a_flood_of_them_is_counted_and_not_kept()
    {
        using var expired = _app.ClientWithToken(_app.Issuer.Create("mia", "Mia", [], t => t.Expires = t.NotBefore!.Value.AddSeconds(1)));
        using var foreign = _app.ClientWithToken(_app.Issuer.Create("mia", "Mia", [], t => t.Audience = "other"));
        for (var i = 0; i < 4; i++)
        {
            using var answer = await foreign.GetAsync("/api/me");
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }

        _app.Clock.Ahead += TimeSpan.FromMinutes(2);
        using var once = await foreign.GetAsync("/api/me");
        using var other = await expired.GetAsync("/api/me");

        Assert.Equal(
            ["""{"reason":"audience","othersSinceTheLastRow":0}""", """{"reason":"audience","othersSinceTheLastRow":3}""", """{"reason":"lifetime","othersSinceTheLastRow":0}"""],
            (await AuditRows.Read(_app)).Where(r => r.Action == "tokenRefused").Select(r => r.Details));
    }

    [Fact]
    public async Task Pages_go_from_the_newest_row_to_the_oldest_and_each_reading_is_a_row()
    {
        using var client = _app.ClientWith("audit-reader");
        for (var i = 0; i < 5; i++)
        {
            await client.GetStringAsync("/api/audit?action=auditRead&limit=1");
        }

        var first = JsonNode.Parse(await client.GetStringAsync("/api/audit?action=auditRead&limit=3"))!;
        var second = JsonNode.Parse(await client.GetStringAsync($"/api/audit?action=auditRead&limit=3&before={first["next"]}"))!;

        long[] Numbers(JsonNode page) => [.. page["events"]!.AsArray().Select(e => (long)e!["sequence"]!)];
        Assert.Equal(3, Numbers(first).Length);
        Assert.Equal(2, Numbers(second).Length);
        Assert.Equal(Numbers(first).Concat(Numbers(second)).OrderDescending().Distinct(), Numbers(first).Concat(Numbers(second)));
        Assert.Null(second["next"]);
        Assert.Equal("auditRead", (string?)first["events"]![0]!["details"]!["action"]);
        Assert.Equal(7, (await AuditRows.Read(_app)).Count(r => r.Action == "auditRead"));
    }

    [Theory]
    [InlineData("subject=mia", 1)]
    [InlineData("subject=Mia%20Masker", 1)]
    [InlineData("subject=eve", 0)]
    [InlineData("study=1.2", 0)]
    [InlineData("job=none", 0)]
    [InlineData("from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00%2B02:00", 1)]
    [InlineData("to=2020-01-01T00:00:00Z", 0)]
    public async Task Filters_let_through_what_they_say(string filter, int logIns)
    {
        using var client = shared.App.ClientWith("audit-reader");

        var page = JsonNode.Parse(await client.GetStringAsync("/api/audit?action=loggedIn&" + filter))!;

        Assert.Equal(logIns, page["events"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("/api/audit?limit=0")]
    [InlineData("/api/audit?limit=501")]
    [InlineData("/api/audit?from=yesterday")]
    [InlineData("/api/audit/export?format=xml")]
    [InlineData("/api/audit/export")]
    public async Task What_cannot_be_read_is_refused_with_a_problem(string path)
    {
        using var client = shared.App.ClientWith("audit-reader");

        using var refused = await client.GetAsync(path);

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task The_chain_is_checked_and_the_check_is_written_down()
    {
        using var client = _app.ClientWith("audit-reader");
        await client.GetStringAsync("/api/audit");

        var chain = JsonNode.Parse(await client.GetStringAsync("/api/audit/chain"))!;

        Assert.True((bool)chain["holds"]!);
        Assert.True((long)chain["rows"]! >= 2);
        Assert.Single(await AuditRows.Read(_app), r => r.Action == "auditVerified");
    }

    [Fact]
    public async Task An_export_is_a_file_whose_chain_anybody_can_check_and_is_written_down()
    {
        using var client = _app.ClientWithToken(_app.Issuer.Create("müller", "Jörg \"Ö\" <Müller> 雪\u0001", ["audit-reader"]));
        await client.GetStringAsync("/api/audit");

        using var answer = await client.GetAsync("/api/audit/export?format=ndjson");

        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("audit.ndjson", answer.Content.Headers.ContentDisposition!.FileName);
        var walk = new ChainWalk([]);
        foreach (var line in (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var json = System.Text.Json.JsonDocument.Parse(line);
            Assert.True(walk.Take(AuditFormats.Parse(json.RootElement)), walk.Verdict.Fault);
        }

        Assert.True(walk.Finish(null).Rows >= 2);
        Assert.Equal("""{"format":"ndjson"}""", Assert.Single(await AuditRows.Read(_app), r => r.Action == "auditExported").Details);
    }

    [Fact]
    public async Task A_spreadsheet_takes_no_cell_for_a_formula()
    {
        using var client = _app.ClientWithToken(_app.Issuer.Create("=1+1", "a,\"b\"", ["audit-reader"]));

        var lines = (await client.GetStringAsync("/api/audit/export?format=csv&action=loggedIn")).Split("\r\n");

        Assert.StartsWith("sequence,at,action,", lines[0], StringComparison.Ordinal);
        Assert.Contains(",loggedIn,'=1+1,\"a,\"\"b\"\"\",,,,,", lines[1], StringComparison.Ordinal);
    }
}
