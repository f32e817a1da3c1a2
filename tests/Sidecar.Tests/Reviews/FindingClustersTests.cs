using Sidecar.Reviews;
using Xunit;

namespace Sidecar.Tests.Reviews;

public sealed class FindingClustersTests
{
    [Fact]
    public void Text_at_one_place_in_like_images_is_one_cluster_whatever_its_length()
    {
        var clusters = Sort(Enumerable.Range(0, 500).Select(i => Row($"f{i:000}", $"i{i:000}") with { Width = 100 + (i % 30) }));

        var only = Assert.Single(clusters.All).View;
        Assert.Equal((500, 500, false), (only.Images, only.Findings, only.IsOutlier));
    }

    [Theory]
    [InlineData("device")]
    [InlineData("size")]
    [InlineData("photometric")]
    [InlineData("class")]
    [InlineData("kind")]
    [InlineData("place")]
    [InlineData("mask")]
    [InlineData("station")]
    public void What_differs_is_decided_apart(string what)
    {
        var (one, other) = (Row("a", "i1"), Row("b", "i2"));
        other = what switch
        {
            "device" => other with { Model = "Other" },
            "size" => other with { Rows = 100 },
            "photometric" => other with { Photometric = "RGB" },
            "class" => other with { SopClass = "1.9" },
            "kind" => other with { Kind = "date" },
            "place" => other with { Y = 40 },
            "mask" => other with { AfterMasking = 1 },
            _ => other with { Station = "ROOM2" },
        };

        Assert.Equal(2, Sort([one, other]).All.Count);
    }

    [Fact]
    public void The_most_alarming_comes_first_and_what_few_images_show_is_an_outlier()
    {
        var rows = Enumerable.Range(0, 50).Select(i => Row($"r{i:00}", $"i{i:00}") with { Kind = "harmless" })
            .Append(Row("weak", "i01") with { Y = 200, Confidence = 300 })
            .Append(Row("other", "i02") with { Y = 300, Kind = "other", Confidence = 999 })
            .Append(Row("left", "i03") with { Y = 400, AfterMasking = 1, Kind = "other" })
            .Append(Row("sure", "i04") with { Y = 500, Confidence = 800 })
            .Append(Row("matched", "i05") with { Y = 600, Confidence = 100, MatchedAttribute = "PatientName" });

        var clusters = Sort(rows).All.Select(c => (Name: c.Members[0].Id, c.View.IsOutlier)).ToList();

        Assert.Equal(["left", "matched", "sure", "weak", "other", "r00"], clusters.Select(c => c.Name));
        Assert.Equal([true, true, true, true, true, false], clusters.Select(c => c.IsOutlier));
    }

    [Fact]
    public void Ids_depend_neither_on_the_order_of_the_rows_nor_on_decisions()
    {
        var rows = Enumerable.Range(0, 40).Select(i => Row($"f{i:00}", $"i{i:00}") with { X = i % 2 * 300 }).ToList();
        var ids = Sort(rows).All.Select(c => c.View.Id).ToList();

        Assert.Equal(ids, Sort(rows.AsEnumerable().Reverse().Select(r => r with { State = "dismissed", DecidedAt = "2026-01-01T00:00:00.0000000Z" })).All.Select(c => c.View.Id));
        Assert.NotEqual(ids, Sort(rows.Skip(1)).All.Select(c => c.View.Id));
    }

    [Theory]
    [InlineData("open", "open", "accepted", "dismissed", "masked")]
    [InlineData("accepted", "accepted", "dismissed", "masked")]
    [InlineData("masked", "dismissed", "masked")]
    [InlineData("dismissed", "dismissed", "dismissed")]
    public void A_cluster_is_as_far_as_its_last_finding(string state, params string[] states) =>
        Assert.Equal(state, Assert.Single(Sort(states.Select((s, i) => Row($"f{i}", $"i{i}") with { State = s })).All).View.State.ToString().ToLowerInvariant());

    private static FindingClusters Sort(IEnumerable<FindingRow> rows) =>
        FindingClusters.Of(rows, rows.GroupBy(r => r.Layout).ToDictionary(g => g.Key, g => g.Select(r => r.OrthancId).Distinct().Count()));

    private static FindingRow Row(string id, string image) => new()
    {
        Id = id,
        OrthancId = image,
        SeriesInstanceUid = "1.2",
        SopInstanceUid = "1.2." + image[1..],
        X = 10,
        Y = 10,
        Width = 120,
        Height = 20,
        Confidence = 900,
        Kind = "personName",
        State = "open",
        Rows = 512,
        Columns = 512,
        Manufacturer = "Maker",
        Model = "Model",
        Station = "ROOM1",
        Photometric = "MONOCHROME2",
        SopClass = "1.2.840",
    };
}
