using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Sidecar.Reviews;
using Sidecar.Tests.Storage;
using Xunit;
using static Sidecar.Tests.Reviews.ReviewStage;

namespace Sidecar.Tests.Reviews;

/// <summary>Studies that nobody has finalized, where users who do not review may not see them.</summary>
public sealed class HeldTests
{
    private const string Other = "4.5.6";

    [Theory, OnSqlite, OnPostgres]
    public async Task A_held_study_can_be_neither_found_nor_read_without_the_permission_until_it_is_finalized(string kind)
    {
        await using var stage = await ReviewStage.Create(kind, holds: true);
        using var mia = stage.As("mia", "image-masking", "audit-reader", "sidecar-administrator");
        await stage.AddImage("i1");
        await stage.AddImage("i2", Other);
        await stage.Look();

        Assert.Equal([], await Search(mia));
        Assert.Equal([Study, Other], await Search(stage.Rita));
        Assert.Equal(403, await Read(mia, $"/dicom-web/studies/{Study}/metadata"));
        Assert.Equal(204, await Read(stage.Rita, $"/dicom-web/studies/{Study}/metadata"));

        Assert.Equal(200, (await Send(stage.Rita, "POST", $"/api/reviews/{Study}/finalize", new { })).Status);
        Assert.Equal([Study], await Search(mia));
        foreach (var path in (string[])["", "/", "/metadata", "/rendered", $"/series/{Study}.1", $"/series/{Study}.1/metadata", $"/series/{Study}.1/instances/{Study}.1.1", $"/series/{Study}.1/instances/{Study}.1.1/frames/1%2C2"])
        {
            Assert.True(await Read(mia, $"/dicom-web/studies/{Study}{path}") == 204, path);
        }

        foreach (var path in (string[])[$"studies/{Other}", $"studies/{Other}/series/{Other}.1/instances/{Other}.1.2/frames/1", $"studies/{Study}/series/{Other}.1", $"studies/{Study}/series/{Study}.1/instances/{Other}.1.2",
            $"studies/{Study}/series/{Study}.1/instances/{Other}.1.2/frames/1", $"studies/{Study}/series/{Other}.1/instances/{Study}.1.1", $"studies/{Study}/instances/{Other}.1.2", $"studies/{Study}/../{Other}", $"studies/{Study}//series",
            $"studies/{Study}/bulk/x", $"series/{Study}.1", $"instances/{Study}.1.1", "studies", $"studies/{Study}%2f..%2f{Other}"])
        {
            Assert.True(await Read(mia, "/dicom-web/" + path) == 403, path);
        }
    }

    [Fact]
    public async Task A_finalized_study_is_held_again_at_once_when_the_archive_has_got_something_since()
    {
        await using var stage = await ReviewStage.Create(TestDatabase.Sqlite, holds: true);
        using var mia = stage.As("mia", "image-masking");
        await stage.AddImage("i1");
        await stage.Look();
        await Send(stage.Rita, "POST", $"/api/reviews/{Study}/finalize", new { });
        stage.Archive.Change("i1"); // no scan has seen it yet

        Assert.Equal(403, await Read(mia, $"/dicom-web/studies/{Study}/metadata"));
        Assert.Equal([], await Search(mia));
        Assert.Equal("imagesChanged", (string)Assert.Single(await stage.Audit("reviewReopened")).Details["cause"]!);
    }

    [Fact]
    public async Task A_UID_that_stands_for_more_than_what_was_finalized_is_not_read()
    {
        await using var stage = await ReviewStage.Create(TestDatabase.Sqlite, holds: true);
        using var mia = stage.As("mia", "image-masking");
        await stage.AddImage("i1");
        await stage.Look();
        await Send(stage.Rita, "POST", $"/api/reviews/{Study}/finalize", new { });
        var (image, series) = ($"/dicom-web/studies/{Study}/series/{Study}.1/instances/{Study}.1.1", $"/dicom-web/studies/{Study}/series/{Study}.1");

        stage.Archive.Images["same"] = stage.Archive.Images["i1"] with { Study = Other, Series = Other + ".1" };
        Assert.Equal((403, 204), (await Read(mia, image), await Read(mia, series)));
        stage.Archive.Images["same"] = stage.Archive.Images["i1"] with { Patient = "another", Series = Other + ".1", Sop = Other };
        Assert.Equal((403, 403), (await Read(mia, image), await Read(mia, series)));
        Assert.Single(await stage.Audit("reviewReopened"));
    }

    [Fact]
    public async Task Pages_are_counted_over_what_may_be_seen_and_no_count_tells_of_the_rest()
    {
        await using var stage = await ReviewStage.Create(TestDatabase.Sqlite, holds: true);
        using var mia = stage.As("mia");
        for (var i = 1; i <= 1200; i++)
        {
            stage.Archive.Add($"i{i}", $"1.{i}");
            await stage.Execute($"INSERT INTO reviews (study_instance_uid, study_orthanc_id, state, images, findings, undecided, not_applied, unscannable, missed, risk, is_weak, modalities, stations, arrived_at, finalized_at) VALUES ('1.{i}', 's', 'clean', 0, 0, 0, 0, 0, 0, 0, 0, ',', ',', '', {(i % 100 == 0 ? "'2026'" : "NULL")})");
        }

        Assert.Equal(12, (await Search(mia)).Count);
        Assert.Equal(["1.300", "1.400"], await Search(mia, "?limit=2&offset=2"));
        Assert.Equal(["1.1200"], await Search(mia, "?limit=5&offset=11"));
        Assert.Equal([], await Search(mia, "?offset=12"));
        Assert.Equal(["1.100"], await Search(mia, "?limit=1&includefield=00201200,all&PatientName=D*"));
        Assert.All(stage.Archive.Asked.Where(a => a.Contains("/dicom-web/", StringComparison.Ordinal)), a => Assert.Contains("includefield=0020000D", a, StringComparison.Ordinal));
        Assert.DoesNotContain("00201200", await mia.GetStringAsync("/dicom-web/studies"), StringComparison.Ordinal);
        Assert.Equal(400, (await Send(mia, "GET", "/dicom-web/studies?limit=x")).Status);
    }

    [Fact]
    public async Task Where_nothing_is_held_everybody_sees_everything()
    {
        await using var stage = await ReviewStage.Create(TestDatabase.Sqlite);
        using var mia = stage.As("mia");
        await stage.AddImage("i1");

        Assert.Equal([Study], await Search(mia));
        Assert.Equal(204, await Read(mia, $"/dicom-web/studies/{Study}/metadata"));
        Assert.Contains("00201200", await mia.GetStringAsync("/dicom-web/studies"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "?includefield=0020000D", 0, 0)]
    [InlineData("?limit=5&offset=7&x=1", "?includefield=0020000D&x=1", 7, 5)]
    [InlineData("?limit=5&limit=6", "?includefield=0020000D", 0, 6)]
    [InlineData("?limit=-1", "?includefield=0020000D", 0, null)]
    [InlineData("?offset=1e3", "?includefield=0020000D", null, 0)]
    [InlineData("?%6cimit=3&_method=DELETE", "?includefield=0020000D", 0, 3)]
    [InlineData("?PatientName=A%26limit%3D9", "?includefield=0020000D&PatientName=A%26limit%3D9", 0, 0)]
    public void Paging_is_taken_out_of_the_query(string query, string rest, int? offset, int? limit) =>
        Assert.Equal((rest, offset, limit), HeldSearches.Split(new QueryString(query)));

    private static async Task<IReadOnlyList<string>> Search(HttpClient client, string query = "") =>
        [.. JsonNode.Parse(await client.GetStringAsync("/dicom-web/studies" + query))!.AsArray().Select(i => (string)i!["0020000D"]!["Value"]![0]!)];

    private static async Task<int> Read(HttpClient client, string uri)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/internal/authorize-read");
        request.Headers.Add("X-Original-Method", "GET");
        request.Headers.TryAddWithoutValidation("X-Original-URI", uri);
        using var answer = await client.SendAsync(request);
        return (int)answer.StatusCode;
    }
}
