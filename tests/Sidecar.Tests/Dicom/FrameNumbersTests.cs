using Sidecar.Dicom.Pixels;
using Xunit;

namespace Sidecar.Tests.Dicom;

public sealed class FrameNumbersTests
{
    [Theory]
    [InlineData("1", 0)]
    [InlineData("1-3,7", 0, 1, 2, 6)]
    [InlineData("2,4,6-7", 1, 3, 5, 6)]
    public void Frames_are_written_from_1_with_runs_as_ranges_and_read_back(string text, params int[] frames)
    {
        Assert.Equal(text, FrameNumbers.ToText(frames.Reverse().Concat(frames)));
        Assert.Equal(frames, FrameNumbers.Parse(text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("3-1")]
    [InlineData("1-2-3")]
    [InlineData("-1")]
    [InlineData("1,")]
    [InlineData("1000001")]
    [InlineData("a")]
    public void What_is_no_list_of_frames_is_refused(string text) => Assert.Throws<FormatException>(() => FrameNumbers.Parse(text));
}
