using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Data.Sqlite;
using Sidecar.TestData;

namespace Sidecar.Integration;

/// <summary>From a finding to a finalized study and back, and studies that are held, in a real Orthanc. The scan itself is not the matter here: its rows are written by the test.</summary>
public sealed class ReviewTests
{
    // The scan is switched off: what it would find in these images of noise is nobody's matter.
    private static readonly (string Name, string Value)[] Settings = [("SIDECAR_Reviews__LookPause", "00:00:00.2"), ("SIDECAR_Scans__Enabled", "false")];

    [Fact]
    public async Task A_finding_is_accepted_and_burned_where_it_was_found_the_study_finalized_and_opened_again_when_its_original_comes_back()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, Settings);
        using var rita = sidecar.Client(sidecar.Http.BaseAddress!.ToString(), "image-masking", "image-review");
        var study = new SampleStudy();
        var format = PixelFormat.Grey(64, 48);
        var still = await study.Add(orthanc, 1);
        var cine = await study.Add(orthanc, 2, change: b => b.Image(format, SampleFrame.Noise(format, frames: 4)));
        await Scan(orthanc, sidecar, study, still, cine);
        await AddFinding(sidecar, study, "still", still, null);
        await AddFinding(sidecar, study, "cine", cine, "2-3");

        await Post(rita, "scan-findings/decisions", new { study = study.Uid, decisions = new object[] { new { findingIds = (string[])["still", "cine"], action = "accept" } } });
        var job = await Post(rita, "scan-findings/apply", new { study = study.Uid }, "key");
        Assert.Equal("succeeded", (await sidecar.WaitForEnd((string)job["id"]!)).GetProperty("state").GetString());

        await Oracle.AssertMasked(study.Originals[still], await orthanc.ReadFile(still), (4, 6, 20, 10));
        await Oracle.AssertMaskedInFrames(study.Originals[cine], await orthanc.ReadFile(cine), "2-3", (4, 6, 20, 10));
        Assert.All(await States(), state => Assert.Equal("masked", state));
        var certificate = JsonNode.Parse(await sidecar.Http.GetStringAsync($"api/mask-jobs/{job["id"]}/certificate"))!;
        Assert.Contains(certificate["events"]!.AsArray(), e => (string?)e!["row"]!["action"] == "instanceMasked" && e["row"]!["details"]!.ToJsonString().Contains("2-3", StringComparison.Ordinal));

        var path = $"api/reviews/{study.Uid}";
        using (var tooEarly = await rita.PostAsJsonAsync($"{path}/finalize", new { }))
        {
            Assert.Contains("scan-pending", await tooEarly.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        await Scan(orthanc, sidecar, study, still, cine);
        Assert.Equal("finalized", (string)(await Post(rita, $"reviews/{study.Uid}/finalize", new { }))["state"]!);

        await orthanc.Upload(study.Originals[still]);
        await Scan(orthanc, sidecar, study, still);
        await Wait.Until(async () => (string?)(await rita.GetFromJsonAsync<JsonNode>(path))!["state"] != "finalized", TimeSpan.FromSeconds(20), "the review is open again");

        async Task<IEnumerable<string>> States() => (await rita.GetFromJsonAsync<JsonNode>($"api/scan-findings?study={study.Uid}"))!["findings"]!.AsArray().Select(f => (string)f!["state"]!);
    }

    [Fact]
    public async Task An_image_that_is_another_one_when_its_turn_comes_is_left_as_it_is()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, Settings);
        using var rita = sidecar.Client(sidecar.Http.BaseAddress!.ToString(), "image-masking", "image-review");
        var study = new SampleStudy();
        var image = await study.Add(orthanc, 1);
        await Scan(orthanc, sidecar, study, image);
        await AddFinding(sidecar, study, "f", image, null);
        await Post(rita, "scan-findings/decisions", new { study = study.Uid, decisions = new object[] { new { findingIds = (string[])["f"], action = "accept" } } });
        // As if another file had come between the look at the image and its turn.
        await Execute(sidecar, "CREATE TRIGGER moved AFTER INSERT ON mask_job_items BEGIN UPDATE mask_job_items SET md5 = 'of another file' WHERE job_id = NEW.job_id; END", new { });

        var job = await sidecar.WaitForEnd((string)(await Post(rita, "scan-findings/apply", new { study = study.Uid }, "key"))["id"]!);

        Assert.Equal("failed", job.GetProperty("state").GetString());
        Assert.Contains("another one than was looked at", job.GetProperty("failures")[0].GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(study.Originals[image], await orthanc.ReadFile(image));
        Assert.Contains("\"accepted\"", await rita.GetStringAsync($"api/scan-findings?study={study.Uid}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_held_study_is_in_no_search_of_a_reader_at_any_level_and_in_no_address()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, [.. Settings, ("SIDECAR_Reviews__HoldUntilFinalized", "true")]);
        using var rita = sidecar.Client(sidecar.Http.BaseAddress!.ToString(), "image-review");
        var (done, held) = (new SampleStudy(), new SampleStudy());
        foreach (var (study, patient) in ((SampleStudy, string)[])[(done, "SHOWN"), (held, "HIDDEN")])
        {
            // One patient, so that Orthanc's counts over the patient have something to tell.
            var ids = new[] { await study.Add(orthanc, 1, change: Of), await study.Add(orthanc, 2, change: Of) };
            await Scan(orthanc, sidecar, study, ids);

            void Of(InstanceBuilder b) => b.Set(Tags.PatientID, "P1").Set(Tags.PatientName, "ONE^PATIENT").Set(Tags.Manufacturer, patient);
        }

        await Post(rita, $"reviews/{done.Uid}/finalize", new { });

        foreach (var query in (string[])["", "?includefield=all", "?includefield=00201200,00201202,00201204", "?PatientID=P1", "?limit=1", "?limit=1&offset=1", "?offset=0&limit=10", "?PatientName=ONE*&includefield=all", "?PatientName=ONE%5EPAT%2A"])
        {
            foreach (var (path, most) in ((string, int)[])[("studies", 1), ("series", 1), ("instances", 2)])
            {
                var answer = await sidecar.Http.GetStringAsync($"dicom-web/{path}{query}");
                Assert.DoesNotContain(held.Uid, answer, StringComparison.Ordinal);
                Assert.DoesNotContain("HIDDEN", answer, StringComparison.Ordinal);
                Assert.All((string[])["00201200", "00201202", "00201204"], count => Assert.DoesNotContain(count, answer, StringComparison.Ordinal));
                var expected = query.Contains("offset=1", StringComparison.Ordinal) ? most - 1 : query.Contains("limit=1", StringComparison.Ordinal) && !query.Contains("limit=10", StringComparison.Ordinal) ? 1 : most;
                Assert.True(JsonNode.Parse(answer)!.AsArray().Count == expected, $"{path}{query}: {answer}");
            }
        }

        foreach (var below in (string[])["series", "instances", $"series/{held.SeriesUid()}/instances"])
        {
            var answer = await sidecar.Http.GetStringAsync($"dicom-web/studies/{held.Uid}/{below}?includefield=all");
            var unknown = await sidecar.Http.GetStringAsync($"dicom-web/studies/1.2.3.4/{below}?includefield=all");
            Assert.Equal(unknown, answer);
            Assert.NotEqual("[]", await rita.GetStringAsync($"dicom-web/studies/{held.Uid}/{below}"));
            Assert.NotEqual("[]", await sidecar.Http.GetStringAsync($"dicom-web/studies/{done.Uid}/{below.Replace(held.SeriesUid(), done.SeriesUid(), StringComparison.Ordinal)}"));
        }

        Assert.Equal(204, await Ask($"studies/{done.Uid}/series/{done.SeriesUid()}/instances/{done.SopUid(1)}/frames/1"));
        Assert.Equal(403, await Ask($"studies/{held.Uid}/series/{held.SeriesUid()}/instances/{held.SopUid(1)}/frames/1"));
        Assert.Equal(403, await Ask($"studies/{done.Uid}/series/{done.SeriesUid()}/instances/{held.SopUid(1)}/frames/1"));
        Assert.Equal(403, await Ask($"studies/{done.Uid}/series/{held.SeriesUid()}/metadata"));

        await done.Add(orthanc, 3); // of another patient, and no scan knows of it yet
        Assert.Equal(403, await Ask($"studies/{done.Uid}/metadata"));
        Assert.Equal("[]", await sidecar.Http.GetStringAsync("dicom-web/studies"));

        async Task<int> Ask(string read)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "internal/authorize-read");
            request.Headers.Add("X-Original-Method", "GET");
            request.Headers.Add("X-Original-URI", "/dicom-web/" + read);
            using var answer = await sidecar.Http.SendAsync(request);
            return (int)answer.StatusCode;
        }
    }

    private static async Task<JsonNode> Post(HttpClient client, string path, object body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/" + path) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", key ?? "none");
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>The ledger gets the images as they are in Orthanc now, and the reviews are told.</summary>
    private static async Task Scan(OrthancServer orthanc, SidecarProcess sidecar, SampleStudy study, params string[] images)
    {
        foreach (var id in images)
        {
            var md5 = await orthanc.ReadText($"instances/{id}/attachments/dicom/md5");
            var instance = await orthanc.Read($"instances/{id}");
            var series = await orthanc.Read($"series/{instance.GetProperty("ParentSeries").GetString()}");
            await Execute(
                sidecar,
                """
                INSERT INTO scanned_instances (orthanc_id, study_instance_uid, series_instance_uid, sop_instance_uid, study_orthanc_id, series_orthanc_id, instance_number, md5, uuid, state, engine, is_weak,
                                               frames, rows, columns, modality, manufacturer, model, station, photometric, sop_class, scanned_at)
                VALUES (@id, @study, @series, @sop, @studyId, @seriesId, 1, @md5, 'uuid', 'scanned', 'engine', 0, 1, 48, 64, 'US', 'Maker', 'M', 'S', 'MONOCHROME2', '1.2', @at)
                ON CONFLICT (orthanc_id) DO UPDATE SET md5 = excluded.md5, scanned_at = excluded.scanned_at;
                UPDATE scan_findings SET state = 'masked' WHERE orthanc_id = @id AND state = 'accepted' AND md5 <> @md5
                """,
                new
                {
                    id,
                    study = study.Uid,
                    series = study.SeriesUid(),
                    sop = instance.GetProperty("MainDicomTags").GetProperty("SOPInstanceUID").GetString(),
                    studyId = series.GetProperty("ParentStudy").GetString(),
                    seriesId = instance.GetProperty("ParentSeries").GetString(),
                    md5,
                    at = Storage.Instant.ToText(TimeProvider.System.GetUtcNow()),
                });
        }

        await Wait.Until(async () => (await sidecar.Http.GetStringAsync($"api/scan-findings?study={study.Uid}")).Contains("\"state\":\"scanned\"", StringComparison.Ordinal), TimeSpan.FromSeconds(20), "the ledger is known");
    }

    private static async Task AddFinding(SidecarProcess sidecar, SampleStudy study, string id, string image, string? frames) => await Execute(
        sidecar,
        """
        INSERT INTO scan_findings (id, orthanc_id, study_instance_uid, series_instance_uid, sop_instance_uid, md5, frames, x, y, width, height, confidence, kind, matched_attribute, after_masking, state, found_at)
        SELECT @id, orthanc_id, @study, series_instance_uid, sop_instance_uid, md5, @frames, 4, 6, 20, 10, 900, 'personName', 'PatientName', 0, 'open', scanned_at FROM scanned_instances WHERE orthanc_id = @image
        """,
        new { id, image, frames, study = study.Uid });

    private static async Task Execute(SidecarProcess sidecar, string sql, object parameters)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(sidecar.Folder, "state", "sidecar.db")};Pooling=false");
        await connection.OpenAsync();
        await connection.ExecuteAsync("PRAGMA busy_timeout = 10000");
        await connection.ExecuteAsync(sql, parameters);
    }
}
