using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Sidecar.TestData;

namespace Sidecar.Integration;

/// <summary>Masking through HTTP in a real Orthanc, judged by pydicom.</summary>
public sealed class MaskingTests(SharedServers servers) : IClassFixture<SharedServers>
{
    [Fact]
    public async Task A_series_is_masked_and_nothing_else_of_it_changes()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        for (var number = 1; number <= 6; number++)
        {
            await study.Add(orthanc, number);
        }

        var other = await new SampleStudy().Add(orthanc, 1);
        var otherInfo = await orthanc.ReadText($"instances/{other}/attachments/dicom/info");
        var job = await sidecar.WaitForEnd(await sidecar.Submit(study.Request("series")));

        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        Assert.Equal((6, 6, 0), (job.GetProperty("total").GetInt32(), job.GetProperty("done").GetInt32(), job.GetProperty("failed").GetInt32()));
        Assert.Equal(Enumerable.Range(1, 6).Select(n => study.SopUid(n)), job.GetProperty("maskedSopInstanceUids").EnumerateArray().Select(u => u.GetString()!));
        Assert.Equal("Mia Masker", job.GetProperty("createdBy").GetString());
        Assert.Equal(otherInfo, await orthanc.ReadText($"instances/{other}/attachments/dicom/info"));
        List<(byte[], byte[])> files = [];
        foreach (var (id, original) in study.Originals)
        {
            files.Add((original, await orthanc.ReadFile(id)));
        }

        await Oracle.AssertMasked(files, (4, 6, 20, 10));

        Assert.False(Directory.Exists(sidecar.JournalFolder) && Directory.EnumerateFileSystemEntries(sidecar.JournalFolder).Any(), "Originals are left in the journal.");
    }

    [Theory]
    [InlineData(TransferSyntaxes.ImplicitLittleEndian, 1)]
    [InlineData(TransferSyntaxes.ExplicitBigEndian, 1)]
    [InlineData(TransferSyntaxes.DeflatedExplicitLittleEndian, 1)]
    [InlineData(TransferSyntaxes.RleLossless, 5)]
    [InlineData(TransferSyntaxes.ExplicitLittleEndian, 2000)] // longer than what is held in memory
    public async Task Each_syntax_that_the_table_promises_goes_through_Orthanc(string syntax, int frames)
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        var format = PixelFormat.Colour(64, 48);
        await study.Add(orthanc, 1, change: b => b.Syntax(syntax).Set(Tags.NumberOfFrames, $"{frames}").Image(format, SampleFrame.Noise(format, frames)));

        var job = await sidecar.WaitForEnd(await sidecar.Submit(study.Request("image")));

        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        Assert.Equal(frames, job.GetProperty("frames").GetInt32());
        await study.AssertAllMasked(orthanc);
    }

    [Fact]
    public async Task A_study_of_one_instance_keeps_metadata_attachments_and_protection_at_all_four_levels()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        var instance = await study.Add(orthanc, 1);
        var series = (await orthanc.Read($"instances/{instance}")).GetProperty("ParentSeries").GetString()!;
        var studyId = (await orthanc.Read($"series/{series}")).GetProperty("ParentStudy").GetString()!;
        var patient = (await orthanc.Read($"studies/{studyId}")).GetProperty("ParentPatient").GetString()!;
        string[] resources = [$"instances/{instance}", $"series/{series}", $"studies/{studyId}", $"patients/{patient}"];
        foreach (var resource in resources)
        {
            await orthanc.Put($"{resource}/metadata/1024", $"note of {resource} with ümlaut");
            await orthanc.Put($"{resource}/metadata/sample-note", "named");
            await orthanc.Put($"{resource}/metadata/4202", "cached by a viewer");
            await orthanc.Put($"{resource}/attachments/1025", $"attached to {resource}");
            await orthanc.Put($"{resource}/attachments/9998", "reduced image with the old pixels");
        }

        await orthanc.Put($"patients/{patient}/protected", "1");

        var job = await sidecar.WaitForEnd(await sidecar.Submit(study.Request("series")));

        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        await study.AssertAllMasked(orthanc);
        foreach (var resource in resources)
        {
            Assert.Equal($"note of {resource} with ümlaut", await orthanc.ReadText($"{resource}/metadata/1024"));
            Assert.Equal("named", await orthanc.ReadText($"{resource}/metadata/sample-note"));
            Assert.Equal($"attached to {resource}", await orthanc.ReadText($"{resource}/attachments/1025/data"));
            Assert.DoesNotContain("9998", await orthanc.ReadText($"{resource}/attachments"), StringComparison.Ordinal);
            Assert.DoesNotContain("4202", await orthanc.ReadText($"{resource}/metadata"), StringComparison.Ordinal);
        }

        Assert.Equal("1", await orthanc.ReadText($"patients/{patient}/protected"));
    }

    [Fact]
    public async Task Caches_of_old_pixels_are_dropped_where_the_parents_survive()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        await study.Add(orthanc, 1);
        var instance = await study.Add(orthanc, 2);
        var series = (await orthanc.Read($"instances/{instance}")).GetProperty("ParentSeries").GetString()!;
        await orthanc.Put($"series/{series}/attachments/4301", "stale");
        await orthanc.Put($"series/{series}/attachments/1025", "kept");

        await sidecar.WaitForEnd(await sidecar.Submit(study.Request("series")));

        Assert.DoesNotContain("4301", await orthanc.ReadText($"series/{series}/attachments"), StringComparison.Ordinal);
        Assert.Equal("kept", await orthanc.ReadText($"series/{series}/attachments/1025/data"));
    }

    [Fact]
    public async Task A_syntax_that_cannot_be_masked_is_left_out_and_its_file_stays_byte_for_byte()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        var unsupported = await study.Add(orthanc, 1, change: b => b.Encapsulate("1.2.840.10008.1.2.4.100", [[new byte[64]]]));
        var before = Md5(await orthanc.ReadFile(unsupported));

        using var alone = await sidecar.Post(study.Request("image"));
        Assert.Equal(HttpStatusCode.BadRequest, alone.StatusCode);
        var problem = JsonNode.Parse(await alone.Content.ReadAsStringAsync())!;
        Assert.Equal("urn:sidecar:problem:nothing-to-mask", problem["type"]!.GetValue<string>());

        await study.Add(orthanc, 2);
        var job = await sidecar.WaitForEnd(await sidecar.Submit(study.Request("series", source: 2)));

        Assert.Equal("succeeded", job.GetProperty("state").GetString());
        Assert.Equal(1, job.GetProperty("total").GetInt32());
        Assert.Equal("transferSyntax", job.GetProperty("leftOut")[0].GetProperty("code").GetString());
        Assert.Equal(before, Md5(await orthanc.ReadFile(unsupported)));
    }

    [Fact]
    public async Task A_damaged_image_fails_with_a_reason_and_the_others_stay_masked()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        await study.Add(orthanc, 1);
        // RLE in name only: Orthanc stores it, nobody can decode it.
        var damaged = await study.Add(orthanc, 2, change: b => b.Encapsulate(TransferSyntaxes.RleLossless, [[new byte[80]]]));
        var before = Md5(await orthanc.ReadFile(damaged));

        var job = await sidecar.WaitForEnd(await sidecar.Submit(study.Request("series")));

        Assert.Equal("failed", job.GetProperty("state").GetString());
        Assert.Equal((1, 1), (job.GetProperty("done").GetInt32(), job.GetProperty("failed").GetInt32()));
        var failure = job.GetProperty("failures")[0];
        Assert.Equal((study.SopUid(2), 2), (failure.GetProperty("sopInstanceUid").GetString(), failure.GetProperty("instanceNumber").GetInt32()));
        Assert.NotEqual("", failure.GetProperty("reason").GetString());
        Assert.Equal(before, Md5(await orthanc.ReadFile(damaged)));
    }

    [Fact]
    public async Task Two_jobs_on_one_study_run_one_after_the_other_and_both_masks_are_there()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        for (var number = 1; number <= 6; number++)
        {
            await study.Add(orthanc, number);
        }

        var first = await sidecar.Submit(study.Request("series", (0, 0, 10, 10)));
        var second = await sidecar.Submit(study.Request("series", (30, 20, 10, 10)));
        var (one, two) = (await sidecar.WaitForEnd(first), await sidecar.WaitForEnd(second));

        Assert.Equal(("succeeded", "succeeded"), (one.GetProperty("state").GetString(), two.GetProperty("state").GetString()));
        Assert.True(two.GetProperty("startedAt").GetDateTimeOffset() >= one.GetProperty("finishedAt").GetDateTimeOffset());
        await study.AssertAllMasked(orthanc, (0, 0, 10, 10), (30, 20, 10, 10));
    }

    [Fact]
    public async Task Masking_the_same_place_again_changes_no_byte_and_stores_nothing()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        var instance = await study.Add(orthanc, 1);
        await sidecar.WaitForEnd(await sidecar.Submit(study.Request("image")));
        var info = await orthanc.ReadText($"instances/{instance}/attachments/dicom/info");

        var again = await sidecar.WaitForEnd(await sidecar.Submit(study.Request("image")));

        Assert.Equal("succeeded", again.GetProperty("state").GetString());
        Assert.Equal(info, await orthanc.ReadText($"instances/{instance}/attachments/dicom/info"));
    }

    [Fact]
    public async Task The_preview_of_mixed_series_says_what_is_left_out_and_why()
    {
        var (orthanc, sidecar) = await servers.Empty();
        var study = new SampleStudy();
        var format = PixelFormat.Grey(64, 48);
        await study.Add(orthanc, 1, change: b => b.Set(Tags.NumberOfFrames, "3").Image(format, SampleFrame.Noise(format, 3)));
        await study.Add(orthanc, 2);
        var large = PixelFormat.Grey(65, 48);
        await study.Add(orthanc, 3, change: b => b.Image(large, SampleFrame.Noise(large)));
        await study.Add(orthanc, 1, series: 2);
        await study.Add(orthanc, 2, series: 2, change: b => b.Encapsulate("1.2.840.10008.1.2.4.100", [[new byte[64]]]));
        await study.Add(orthanc, 1, series: 3, change: b => b.Sop("1.2.840.10008.5.1.4.1.1.88.11").Image(format).Remove(Tags.Rows).Remove(Tags.Columns));
        await study.Add(orthanc, 1, series: 4);

        using var content = System.Net.Http.Json.JsonContent.Create(study.Request("study", chosenSeries: [1, 2, 3]));
        using var answer = await sidecar.Http.PostAsync("api/mask-jobs/preview", content);
        var preview = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;

        Assert.Equal((3, 5), ((int)preview["instances"]!, (int)preview["frames"]!));
        Assert.Equal([(study.SeriesUid(1), 2, 4), (study.SeriesUid(2), 1, 1)], preview["series"]!.AsArray().Select(s => ((string)s!["seriesInstanceUid"]!, (int)s["instances"]!, (int)s["frames"]!)));
        Assert.Equal(
            [(study.SeriesUid(1), "size"), (study.SeriesUid(2), "transferSyntax"), (study.SeriesUid(3), "notAnImage")],
            preview["leftOut"]!.AsArray().Select(l => ((string)l!["seriesInstanceUid"]!, (string)l["code"]!)));
        foreach (var (id, original) in study.Originals)
        {
            Assert.Equal(Md5(original), Md5(await orthanc.ReadFile(id)));
        }
    }

#pragma warning disable CA5351 // only to compare files
    private static string Md5(byte[] file) => Convert.ToHexStringLower(MD5.HashData(file));
#pragma warning restore CA5351
}
