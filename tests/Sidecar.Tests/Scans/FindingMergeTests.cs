using Sidecar.Dicom.Pixels;
using Sidecar.Dicom.Text;
using Sidecar.Scans;
using Xunit;

namespace Sidecar.Tests.Scans;

public sealed class FindingMergeTests
{
    private static readonly Region Place = new(10, 10, 100, 20);
    private static readonly Region SamePlace = new(14, 10, 100, 20);
    private static readonly Region OtherPlace = new(10, 200, 100, 20);

    // What was there before, what is found now, and what becomes of the old row; "new" where a row is added.
    [Theory]
    [InlineData("open", true, "other", "kept")]
    [InlineData("accepted", true, "other", "kept")]
    [InlineData("dismissed", true, "other", "kept")]
    [InlineData("dismissed", true, "harmless", "kept")]
    [InlineData("dismissed", true, "personName", "gone new")] // what was dismissed was not known to be a name
    [InlineData("masked", true, "other", "new")]
    [InlineData("gone", true, "other", "new")]
    [InlineData("open", false, "other", "gone new")]
    [InlineData("dismissed", false, "other", "gone new")]
    [InlineData("accepted", false, "other", "gone new")]
    public void Merge_changedFile(string state, bool atSamePlace, string kind, string expected) =>
        Assert.Equal(expected, Outcome(Row(state, md5: "old"), Found(atSamePlace ? SamePlace : OtherPlace, kind), isOurMask: false));

    [Theory]
    [InlineData("open", "old", true, "gone")]
    [InlineData("accepted", "old", true, "masked")]
    [InlineData("accepted", "old", false, "gone")] // somebody sent another image: nobody masked this text
    [InlineData("accepted", "now", false, "")] // the same file: an approval is not lost because another engine saw nothing
    [InlineData("open", "now", false, "gone")]
    [InlineData("masked", "old", true, "")]
    public void Merge_nothingFoundAnyMore(string state, string md5, bool isOurMask, string expected) =>
        Assert.Equal(expected, Outcome(Row(state, md5), null, isOurMask));

    [Theory]
    [InlineData("accepted", "1-3", "1-3", "kept")]
    [InlineData("accepted", "1-3", "2", "kept")]
    [InlineData("accepted", "1-3", "2-4", "gone new")]
    [InlineData("dismissed", "1-3", null, "gone new")] // text in all frames is more than what was dismissed in three
    [InlineData("dismissed", null, "2-4", "kept")]
    [InlineData("open", "1-3", null, "kept")]
    public void Merge_decisionForSomeFrames_coversNoOthers(string state, string? decided, string? found, string expected)
    {
        var finding = Found(SamePlace, "other") with { Frames = found is null ? null : FrameNumbers.Parse(found) };
        Assert.Equal(expected, Outcome(Row(state, "old") with { Frames = decided }, finding, isOurMask: false));
    }

    [Fact]
    public void Merge_twoFindingsAtOneOldRow_keepsItOnce()
    {
        var merge = FindingMerge.Merge([Row("dismissed", "old")], [Found(Place, "other"), Found(SamePlace, "other")], "now", isOurMask: false);
        Assert.Equal((1, 1, 0), (merge.Kept.Count, merge.New.Count, merge.Closed.Count));
    }

    private static string Outcome(StoredFinding row, ScanFinding? found, bool isOurMask)
    {
        var merge = FindingMerge.Merge([row], found is null ? [] : [found], "now", isOurMask);
        return string.Join(' ', merge.Kept.Select(_ => "kept").Concat(merge.Closed.Select(c => c.State)).Concat(merge.New.Select(_ => "new")));
    }

    private static StoredFinding Row(string state, string md5) =>
        new() { Id = "id", OrthancId = "image", Md5 = md5, X = Place.X, Y = Place.Y, Width = Place.Width, Height = Place.Height, Kind = "other", State = state };

    private static ScanFinding Found(Region region, string kind) =>
        new() { Region = region, Confidence = 0.9, Kind = Enum.Parse<FindingKind>(kind, ignoreCase: true) };
}
