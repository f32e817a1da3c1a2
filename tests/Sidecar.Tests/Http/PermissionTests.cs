using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Sidecar.Tests.Http;

/// <summary>Every endpoint against every kind of caller. A new endpoint belongs into this table.</summary>
public sealed class PermissionTests(SharedApp shared) : IClassFixture<SharedApp>
{
    // No token, a token without roles, the role to mask, all other roles. 2xx/4xx of the endpoint itself count as "let in".
    private static readonly (string Method, string Path, bool Anonymous, bool AnyToken, bool Mask, bool OtherRoles)[] Table =
    [
        ("GET", "/health/live", true, true, true, true),
        ("GET", "/health/ready", true, true, true, true),
        ("GET", "/api/me", false, true, true, true),
        ("POST", "/api/mask-jobs", false, false, true, false),
        ("POST", "/api/mask-jobs/preview", false, false, true, false),
        ("POST", "/api/mask-jobs/none/cancel", false, false, true, false),
        ("POST", "/api/mask-jobs/none/confirm", false, false, true, false),
        ("POST", "/api/mask-jobs/none/decline", false, false, true, false),
        ("GET", "/api/mask-jobs/awaiting-confirmation", false, false, true, false),
        ("POST", "/api/mask-jobs/none/restore", false, false, false, false), // by default no role may
        ("GET", "/api/mask-jobs?study=1.2", false, false, true, false),
        ("GET", "/api/mask-jobs/none", false, false, true, false),
        ("GET", "/api/mask-jobs/none/events", false, false, true, false),
        ("GET", "/api/mask-jobs/none/certificate", false, false, true, true),
        ("GET", "/api/mask-jobs/none/certificate.html", false, false, true, true),
        ("POST", "/api/scans", false, false, false, true),
        ("GET", "/api/scans", false, false, false, true),
        ("GET", "/api/scans/none", false, false, false, true),
        ("POST", "/api/scans/none/pause", false, false, false, true),
        ("POST", "/api/scans/none/resume", false, false, false, true),
        ("POST", "/api/scans/none/cancel", false, false, false, true),
        ("GET", "/api/scan-schedules", false, false, false, true),
        ("POST", "/api/scan-schedules", false, false, false, true),
        ("PUT", "/api/scan-schedules/none", false, false, false, true),
        ("DELETE", "/api/scan-schedules/none", false, false, false, true),
        ("GET", "/api/audit", false, false, false, true),
        ("GET", "/api/audit/export?format=csv", false, false, false, true),
        ("GET", "/api/audit/chain", false, false, false, true),
        ("GET", "/api/scan-findings?study=1.2", false, false, true, true),
        ("POST", "/api/scan-findings/decisions", false, false, false, true),
        ("POST", "/api/scan-findings/apply", false, false, true, false),
        ("GET", "/api/reviews", false, false, false, true),
        ("GET", "/api/reviews/none", false, false, false, true),
        ("PUT", "/api/reviews/none", false, false, false, true),
        ("POST", "/api/reviews/none/finalize", false, false, false, true),
        ("POST", "/api/reviews/none/reopen", false, false, false, true),
        ("GET", "/api/mask-templates", false, false, true, true),
        ("POST", "/api/mask-templates", false, false, false, true),
        ("GET", "/api/mask-templates/export", false, false, true, true),
        ("POST", "/api/mask-templates/import", false, false, false, true),
        ("PUT", "/api/mask-templates/none", false, false, false, true),
        ("DELETE", "/api/mask-templates/none", false, false, false, true),
        ("GET", "/api/samples/next", false, false, false, true),
        ("POST", "/api/samples/none", false, false, false, true),
        ("PUT", "/api/samples/none", false, false, false, true),
        ("GET", "/api/dashboard", false, false, false, true),
        ("GET", "/dicom-web/studies", false, true, true, true),
        ("GET", "/dicom-web/studies/1.2/series/1.3/instances", false, true, true, true),
        ("GET", "/openapi/v1.json", false, true, true, true),
    ];

    public static TheoryData<string, string, string, bool> Rows()
    {
        var rows = new TheoryData<string, string, string, bool>();
        foreach (var (method, path, anonymous, anyToken, mask, otherRoles) in Table)
        {
            rows.Add(method, path, "nobody", anonymous);
            rows.Add(method, path, "", anyToken);
            rows.Add(method, path, "image-masking", mask);
            rows.Add(method, path, "image-review,audit-reader,sidecar-administrator", otherRoles);
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task An_endpoint_lets_in_whom_the_table_says_and_nobody_else(string method, string path, string roles, bool letIn)
    {
        using var client = roles == "nobody" ? shared.App.CreateClient() : shared.App.ClientWith(roles.Split(',', StringSplitOptions.RemoveEmptyEntries));
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method is "POST" or "PUT")
        {
            request.Content = JsonContent.Create(new { });
        }

        using var answer = await client.SendAsync(request);

        if (letIn)
        {
            Assert.False(answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, $"{(int)answer.StatusCode}");
            return;
        }

        Assert.Equal(roles == "nobody" ? HttpStatusCode.Unauthorized : HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal(roles == "nobody" ? "urn:sidecar:problem:unauthenticated" : "urn:sidecar:problem:forbidden", (string)problem["type"]!);
    }

    [Fact]
    public async Task Every_endpoint_of_the_described_API_is_in_the_table()
    {
        using var client = shared.App.ClientWith();
        var paths = JsonNode.Parse(await client.GetStringAsync("/openapi/v1.json"))!["paths"]!.AsObject();
        var described = paths.SelectMany(p => p.Value!.AsObject().Select(m => $"{m.Key.ToUpperInvariant()} {p.Key.Replace("{id}", "none", StringComparison.Ordinal).Replace("{study}", "none", StringComparison.Ordinal)}")).Order();
        var tested = Table.Where(t => t.Path.StartsWith("/api/", StringComparison.Ordinal)).Select(t => $"{t.Method} {t.Path.Split('?')[0]}").Order();
        Assert.Equal(described, tested);
    }

    [Fact]
    public async Task Reads_are_authorized_for_any_token_and_only_for_DICOMweb_reads()
    {
        using var known = shared.App.ClientWith();
        using var nobody = shared.App.CreateClient();

        Assert.Equal(204, await Ask(known, "GET", "/dicom-web/studies/1.2/series/1.3/instances/1.4/frames/1"));
        Assert.Equal(204, await Ask(known, "HEAD", "/dicom-web/studies/1.2/metadata?accept=x/../y"));
        Assert.Equal(204, await Ask(known, "GET", "/dicom-web/studies/1.2/series/1.3/instances/1.4/frames/1%2C2"));
        Assert.Equal(401, await Ask(nobody, "GET", "/dicom-web/studies/1.2/metadata"));
        Assert.Equal(403, await Ask(known, "POST", "/dicom-web/studies"));
        Assert.Equal(403, await Ask(known, "DELETE", "/dicom-web/studies/1.2"));
        foreach (var path in (string[])["/system", "/dicom-web/../system", "/dicom-web/studies/../../system", "/dicom-web/studies/%2e%2e/system", "/dicom-web/..%5csystem",
            "/dicom-web/studies\\..\\system", "/dicom-web/servers", "/dicom-web//studies", "/dicom-web/studies/..", "/dicom-web/studies/./x", ""])
        {
            Assert.True(await Ask(known, "GET", path) == 403, path);
        }

        static async Task<int> Ask(HttpClient client, string method, string uri)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/internal/authorize-read");
            request.Headers.Add("X-Original-Method", method);
            request.Headers.TryAddWithoutValidation("X-Original-URI", uri);
            using var answer = await client.SendAsync(request);
            return (int)answer.StatusCode;
        }
    }

    [Fact]
    public async Task Me_says_who_I_am_and_what_I_may()
    {
        using var client = shared.App.ClientWith("sidecar-administrator", "image-masking", "unknown");

        Assert.Equal("""{"subject":"mia","name":"Mia Masker","permissions":["mask","confirm","administer"]}""", await client.GetStringAsync("/api/me"));
    }

    [Fact]
    public async Task A_site_maps_its_own_role_names_from_its_own_claim_and_the_defaults_are_gone()
    {
        await using var app = new SidecarApp();
        app.Settings["Authentication:RolesClaim"] = "realm_access.roles";
        app.Settings["Permissions:Mask:0"] = "radiographer";
        using var client = app.ClientWithToken(app.Issuer.Create("1", "One", ["image-masking"], t => t.Claims["realm_access"] = new Dictionary<string, object> { ["roles"] = (List<string>)["radiographer", "image-review"] }));

        Assert.Equal(["mask", "confirm", "review"], JsonNode.Parse(await client.GetStringAsync("/api/me"))!["permissions"]!.AsArray().Select(p => (string)p!));
        using var old = app.ClientWithToken(app.Issuer.Create("1", "One", [], t => t.Claims["realm_access"] = new Dictionary<string, object> { ["roles"] = "image-masking" }));
        Assert.Equal([], JsonNode.Parse(await old.GetStringAsync("/api/me"))!["permissions"]!.AsArray().Select(p => (string)p!));
    }
}
