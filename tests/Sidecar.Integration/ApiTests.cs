using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sidecar.TestData;

namespace Sidecar.Integration;

/// <summary>What the HTTP API promises beyond masking: idempotency, refusals, events, searches.</summary>
public sealed class ApiTests(SharedServers servers) : IClassFixture<SharedServers>
{
    [Fact]
    public async Task The_same_key_gives_the_same_job_and_another_request_under_it_is_refused()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        await study.Add(orthanc, 1);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => sidecar.Submit(study.Request("image"), "key-1")));
        Assert.Single(answers.Distinct());
        await sidecar.WaitForEnd(answers[0]);
        Assert.Equal(answers[0], await sidecar.Submit(study.Request("image"), "key-1"));

        using var other = await sidecar.Post(study.Request("series"), "key-1");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        Assert.Equal("This Idempotency-Key was used for another request. Choose a new one for each masking.", (string)JsonNode.Parse(await other.Content.ReadAsStringAsync())!["detail"]!);
        var list = await sidecar.Http.GetStringAsync($"api/mask-jobs?study={study.Uid}");
        Assert.Single(JsonNode.Parse(list)!["jobs"]!.AsArray());
    }

    [Fact]
    public async Task Requests_that_cannot_be_meant_are_refused_with_a_sentence()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        await study.Add(orthanc, 1);

        await Refused(400, "region-outside-image", study.Request("image", (64, 0, 5, 5)), "The mask at x 64, y 0, 5 × 5 lies outside the image, which has 64 × 48 pixels. Draw it again.");
        await Refused(400, "invalid-request", study.Request("image", (-1, 0, 5, 5)), "A region must start at 0 or further and be at least one pixel wide and high.");
        await Refused(400, "invalid-request", study.Request("study"), "Give seriesInstanceUids (1 to 1000) with scope study, and only then.");
        await Refused(409, "source-unknown", study.Request("image", source: 2), "The image on which the masks were drawn is not in the image archive (any more). Reload the study.");
        await Refused(409, "series-unknown", study.Request("study", chosenSeries: [7]), "A chosen series is not in this study (any more). Reload the study.");
        await Refused(409, "study-unknown", new SampleStudy().Request("image"), "This study is not in the image archive (any more). Reload the study list.");
        await Refused(400, "invalid-request", new { studyInstanceUid = 5 }, "The request is not what the API describes at $.studyInstanceUid.");

        async Task Refused(int status, string type, object request, string sentence)
        {
            using var answer = await sidecar.Post(request);
            var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            Assert.Equal((status, "urn:sidecar:problem:" + type, sentence), ((int)answer.StatusCode, (string)problem["type"]!, (string)problem["detail"]!));
        }
    }

    [Fact]
    public async Task Images_that_changed_since_the_preview_are_not_masked()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        await study.Add(orthanc, 1);
        await study.Add(orthanc, 2);
        var (image, series) = (JsonSerializer.SerializeToNode(study.Request("image"))!, JsonSerializer.SerializeToNode(study.Request("series"))!);
        await Look(image);
        await Look(series);

        await study.Add(orthanc, 2); // the same bytes, sent again
        await Refused(series);
        await Look(series);
        await study.Add(orthanc, 3);
        await Refused(series);
        Assert.Equal("succeeded", (await sidecar.WaitForEnd(await sidecar.Submit(image, "key"))).GetProperty("state").GetString());
        await sidecar.Submit(image, "key"); // a repeat is not refused for what the first one did
        await Refused(image);
        await Look(series);
        await sidecar.WaitForEnd(await sidecar.Submit(series));
        await study.AssertAllMasked(orthanc);

        async Task Look(JsonNode request)
        {
            using var answer = await sidecar.Http.PostAsJsonAsync("api/mask-jobs/preview", request);
            request["imagesVersion"] = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["imagesVersion"]!.GetValue<string>();
        }

        async Task Refused(JsonNode request)
        {
            using var answer = await sidecar.Post(request);
            var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            Assert.Equal((409, "urn:sidecar:problem:images-changed"), ((int)answer.StatusCode, (string)problem["type"]!));
            Assert.Contains("Look at the images again", (string)problem["detail"]!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_mask_over_the_edge_is_clipped_to_the_image()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        await study.Add(orthanc, 1);

        var job = await sidecar.WaitForEnd(await sidecar.Submit(study.Request("image", (60, 40, 100, 100))));

        Assert.Equal("{\"x\":60,\"y\":40,\"width\":4,\"height\":8}", job.GetProperty("regions")[0].GetRawText());
        await study.AssertAllMasked(orthanc, (60, 40, 4, 8));
    }

    [Fact]
    public async Task Events_come_in_order_and_the_stream_ends_with_the_job()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        for (var number = 1; number <= 40; number++)
        {
            await study.Add(orthanc, number);
        }

        var id = await sidecar.Submit(study.Request("series"));
        using var answer = await sidecar.Http.GetAsync($"api/mask-jobs/{id}/events", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        List<JsonElement> views = [];
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                views.Add(JsonDocument.Parse(line["data: ".Length..]).RootElement);
            }
            else
            {
                Assert.True(line is "event: progress" or "" || line.StartsWith(':'), line);
            }
        }

        var done = views.Select(v => v.GetProperty("done").GetInt32()).ToList();
        Assert.Equal(done.Order(), done);
        Assert.Equal(("succeeded", 40), (views[^1].GetProperty("state").GetString(), done[^1]));
        Assert.DoesNotContain(views.SkipLast(1), v => v.GetProperty("state").GetString() is "succeeded" or "failed");

        using var unknown = await sidecar.Http.GetAsync("api/mask-jobs/none/events");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task A_search_with_an_escaped_comma_list_of_includefield_gets_all_fields()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        await study.Add(orthanc, 1, change: b => b.Set(Tags.Manufacturer, "MAKER").Set(Tags.InstitutionName, "CLINIC"));
        var search = $"dicom-web/studies/{study.Uid}/series/{study.SeriesUid()}/instances?includefield=00080070%2C00080080&limit=5";

        var found = JsonNode.Parse(await sidecar.Http.GetStringAsync(search))![0]!.AsObject();

        Assert.True(found.ContainsKey("00080070") && found.ContainsKey("00080080"), found.ToJsonString());
        await sidecar.Http.GetStringAsync("dicom-web/studies?PatientName=SECRETNAME*");
        Assert.DoesNotContain("SECRETNAME", sidecar.Log, StringComparison.Ordinal);
        using var direct = await orthanc.Http.GetAsync(search);
        Assert.False(
            direct.IsSuccessStatusCode && JsonNode.Parse(await direct.Content.ReadAsStringAsync())![0]!.AsObject().ContainsKey("00080080"),
            "Orthanc reads the comma list itself now: the repair can go.");
    }

    [Fact]
    public async Task Nothing_else_of_Orthanc_is_reachable_through_the_sidecar()
    {
        var (orthanc, sidecar) = await servers.Empty();
        string[] paths =
        [
            "dicom-web/servers", "dicom-web/studies/1.2/metadata", "dicom-web/studies/1.2/series/1.3/instances/1.4/frames/1", "dicom-web/studies/abc/series",
            "dicom-web/studies/..%5csystem/series", "dicom-web/studies/..%5c..%5c/series", "dicom-web/..%2fsystem", "dicom-web/..%5csystem", "dicom-web//studies", "system", "instances",
        ];
        foreach (var path in paths)
        {
            using var answer = await sidecar.Http.GetAsync(path);
            Assert.True(answer.StatusCode == HttpStatusCode.NotFound, $"{path}: {answer.StatusCode}");
        }
    }

    [Fact]
    public async Task An_Orthanc_that_does_not_overwrite_is_refused_with_what_the_administrator_must_do()
    {
        await using var orthanc = await OrthancServer.Start(new() { ["OverwriteInstances"] = false });
        await using var sidecar = await SidecarProcess.Start(orthanc.Address);
        var study = new SampleStudy();
        await study.Add(orthanc, 1);

        using var answer = await sidecar.Post(study.Request("image"));

        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal((503, "urn:sidecar:problem:orthanc-unsafe"), ((int)answer.StatusCode, (string)problem["type"]!));
        Assert.Contains("\"OverwriteInstances\": true", (string)problem["detail"]!, StringComparison.Ordinal);
        Assert.Equal(study.Originals.Keys, await orthanc.ListInstances());
        using var ready = await sidecar.Http.GetAsync("health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
    }

    [Theory]
    [InlineData("1.2.840.10008.1.2.1")]
    [InlineData("1.2.840.10008.1.2.4.50")]
    [InlineData("1.2.840.10008.1.2.4.70")]
    public async Task An_Orthanc_that_transcodes_what_it_receives_is_refused(string ingestTranscoding)
    {
        await using var orthanc = await OrthancServer.Start(new() { ["IngestTranscoding"] = ingestTranscoding });
        await using var sidecar = await SidecarProcess.Start(orthanc.Address);
        var study = new SampleStudy();
        await study.Add(orthanc, 1);

        using var answer = await sidecar.Post(study.Request("image"));

        Assert.Contains("IngestTranscoding", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Single(await orthanc.ListInstances()); // no probe left over
    }

    [NetworkTheory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task An_Orthanc_that_serves_others_past_the_sidecar_is_refused_unless_they_are_kept_away(bool firewall, bool refused)
    {
        await using var link = await NetworkLink.Start();
        await using var orthanc = await OrthancServer.Start(link: link);
        await using var sidecar = await SidecarProcess.Start(new Uri($"http://127.0.0.1:{orthanc.Port}"), link, ("SIDECAR_Orthanc__OthersAreKeptAway", firewall.ToString()));
        var study = new SampleStudy();
        await study.Add(orthanc, 1);

        using var answer = await sidecar.Post(study.Request("image"));
        var (status, report) = await sidecar.RunCommand("doctor");

        var advice = $"Orthanc also serves others, on {link.Far}:{orthanc.Port}, past nginx and the sidecar: with one of its passwords, where it asks for any, they can read and change every image. "
            + "The administrator must set \"RemoteAccessAllowed\": false in Orthanc's configuration and restart Orthanc; or, where a firewall keeps others away, say so with Orthanc:OthersAreKeptAway.";
        Assert.Equal(refused ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(refused ? advice : null, (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["detail"]);
        Assert.Contains(refused ? $"FAILED  Orthanc replaces images safely: {advice}" : "ok      Orthanc replaces images safely", report.Split('\n'));
        Assert.True(!refused || status == 1);
    }
}
