using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Sidecar.Tests.Http;

public sealed class RateLimitTests
{
    [Fact]
    public async Task A_user_who_asks_too_fast_is_told_to_wait_and_others_are_not()
    {
        await using var app = new SidecarApp();
        using var wild = app.ClientWithToken(app.Issuer.Create("wild", "Wild", ["image-masking"]));
        using var calm = app.ClientWithToken(app.Issuer.Create("calm", "Calm", ["image-masking"]));
        List<HttpStatusCode> answers = [];
        JsonNode? problem = null;
        // The default burst and what comes in meanwhile are well below this.
        for (var i = 0; i < 5000 && problem is null; i++)
        {
            using var answer = await wild.PostAsync(new Uri("/api/mask-jobs/none/cancel", UriKind.Relative), null);
            answers.Add(answer.StatusCode);
            if (answer.StatusCode == HttpStatusCode.TooManyRequests)
            {
                Assert.Equal("1", answer.Headers.GetValues("Retry-After").Single());
                problem = await answer.Content.ReadFromJsonAsync<JsonNode>();
            }
        }

        Assert.EndsWith("too-many-requests", problem?["type"]?.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains("more than 20 changes a second", problem!["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.True(answers.Count > 100);
        using var other = await calm.PostAsync(new Uri("/api/mask-jobs/none/cancel", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
        using var reading = await wild.GetAsync(new Uri("/api/mask-jobs/none", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, reading.StatusCode);
    }
}
