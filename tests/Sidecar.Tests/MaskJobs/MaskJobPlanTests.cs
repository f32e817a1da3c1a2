using Sidecar.MaskJobs;
using Sidecar.Orthanc;
using Xunit;

namespace Sidecar.Tests.MaskJobs;

/// <summary>Which images a person is told are left out of a masking, and why.</summary>
public sealed class MaskJobPlanTests
{
    private const string Native = "1.2.840.10008.1.2.1";

    [Fact]
    public void Images_that_cannot_be_masked_are_left_out_with_a_code_and_a_sentence()
    {
        var source = Image("source");
        StoredInstance[] others =
        [
            Image("report") with { Rows = null, Columns = null },
            Image("larger") with { Rows = 96, Columns = 128 },
            Image("empty") with { HasPixelData = false },
            Image("video") with { TransferSyntaxUid = "1.2.840.10008.1.2.4.100" },
            Image("like"),
            Image("empty too") with { HasPixelData = false },
        ];

        var (instances, leftOut) = MaskJobPlan.Sort(source, others);

        Assert.Equal(["like"], instances.Select(i => i.Id.Value));
        Assert.Equal(
            [
                new LeftOut("1.2", LeftOutCode.NotAnImage, "Not an image: there are no pixels to mask.", 1),
                new LeftOut("1.2", LeftOutCode.Size, "Another size: 128 × 96 instead of 64 × 48 pixels.", 1),
                new LeftOut("1.2", LeftOutCode.Pixels, "The image holds no pixel data.", 2),
            ],
            leftOut.Where(l => l.Code != LeftOutCode.TransferSyntax));
        Assert.Contains("video", leftOut.Single(l => l.Code == LeftOutCode.TransferSyntax).Message, StringComparison.OrdinalIgnoreCase);
    }

    private static StoredInstance Image(string id) => new()
    {
        Id = new OrthancId(id),
        StudyInstanceUid = "1.1",
        SeriesInstanceUid = "1.2",
        SopInstanceUid = "1.3",
        Modality = "US",
        Rows = 48,
        Columns = 64,
        NumberOfFrames = 1,
        HasPixelData = true,
        TransferSyntaxUid = Native,
        FileUuid = id,
    };
}
