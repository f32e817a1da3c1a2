using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Sidecar.Integration;

/// <summary>What one person approved is burned when another has confirmed it, also when the service was killed in between.</summary>
public sealed class TwoPersonTests
{
    [Fact]
    public async Task Nothing_is_burned_before_the_confirmation_which_survives_a_kill_and_is_in_the_certificate()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, ("SIDECAR_MaskJobs__TwoPersonApproval", "true"));
        var study = new SampleStudy();
        var first = await study.Add(orthanc, 1);
        await study.Add(orthanc, 2);
        var before = await orthanc.ReadText($"instances/{first}/attachments/dicom/info");

        var id = await sidecar.Submit(study.Request("series"), "key");
        await sidecar.Kill();
        await sidecar.StartProcess();
        Assert.Equal("awaitingConfirmation", (await sidecar.ReadJob(id)).GetProperty("state").GetString());
        Assert.Equal(id, await sidecar.Submit(study.Request("series"), "key"));
        using (var own = await sidecar.Http.PostAsJsonAsync($"api/mask-jobs/{id}/confirm", new { }))
        {
            Assert.Equal(HttpStatusCode.Forbidden, own.StatusCode);
        }

        Assert.Equal(before, await orthanc.ReadText($"instances/{first}/attachments/dicom/info"));
        Assert.False(Directory.Exists(sidecar.JournalFolder) && Directory.EnumerateFileSystemEntries(sidecar.JournalFolder).Any());

        using var ann = sidecar.ClientOf("ann", "Ann Other", sidecar.Http.BaseAddress!.ToString(), "image-masking");
        using (var confirmed = await ann.PostAsJsonAsync($"api/mask-jobs/{id}/confirm", new { reason = "seen" }))
        {
            Assert.Equal(HttpStatusCode.OK, confirmed.StatusCode);
        }

        await sidecar.Kill();
        await sidecar.StartProcess();
        Assert.Equal("succeeded", (await sidecar.WaitForEnd(id)).GetProperty("state").GetString());
        await study.AssertAllMasked(orthanc);

        var file = Path.Combine(sidecar.Folder, "certificate.json");
        await File.WriteAllTextAsync(file, await sidecar.Http.GetStringAsync($"api/mask-jobs/{id}/certificate"));
        var masked = Path.Combine(sidecar.Folder, "masked.dcm");
        await File.WriteAllBytesAsync(masked, await orthanc.ReadFile(first));
        var (status, output) = await sidecar.RunCommand("verify", file, masked);
        Assert.True(status == 0, output);
        var rows = JsonNode.Parse(await File.ReadAllTextAsync(file))!["events"]!.AsArray().Select(e => e!["row"]!).ToList();
        Assert.Equal(["mia", "ann"], rows.Where(r => (string?)r["action"] is "maskJobCreated" or "maskJobConfirmed").Select(r => (string)r["subject"]!));

        // Who hides the second person is found out.
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("maskJobConfirmed", "maskJobObserved", StringComparison.Ordinal));
        Assert.Contains("confirmation is not here", (await sidecar.RunCommand("verify", file, masked)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_sent_again_before_the_confirmation_keeps_the_job_from_beginning()
    {
        await using var orthanc = await OrthancServer.Start();
        await using var sidecar = await SidecarProcess.Start(orthanc.Address, ("SIDECAR_MaskJobs__TwoPersonApproval", "true"));
        var study = new SampleStudy();
        await study.Add(orthanc, 1);
        var second = await study.Add(orthanc, 2);
        var id = await sidecar.Submit(study.Request("series"));

        await orthanc.Upload(study.Originals[second]);

        using var ann = sidecar.ClientOf("ann", "Ann Other", sidecar.Http.BaseAddress!.ToString(), "image-masking");
        using var refused = await ann.PostAsJsonAsync($"api/mask-jobs/{id}/confirm", new { });
        Assert.Equal((HttpStatusCode.Conflict, "urn:sidecar:problem:images-changed"), (refused.StatusCode, (string?)JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["type"]));
        using var declined = await ann.PostAsJsonAsync($"api/mask-jobs/{id}/decline", new { reason = "sent again" });
        Assert.Equal("declined", (await sidecar.ReadJob(id)).GetProperty("state").GetString());
    }
}
