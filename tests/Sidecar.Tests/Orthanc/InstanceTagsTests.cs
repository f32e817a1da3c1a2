using System.Text.Json;
using Sidecar.Orthanc;
using Xunit;

namespace Sidecar.Tests.Orthanc;

public sealed class InstanceTagsTests
{
    /// <summary>Of a long answer only a part is held at a time.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2000)]
    public async Task What_is_needed_is_read_whatever_kind_of_value_a_tag_has(int instances)
    {
        const string First =
            """
            { "StudyInstanceUID": "1.2\u0000", "SOPInstanceUID": " 1.3 ", "Rows": "512 ", "Columns": null, "Modality": [ { "CodeValue": "x" } ], "InstanceNumber": 7, "PatientName": "x",
              "OtherSequence": [ { "Rows": "1", "PixelData": "nested" } ], "PixelData": null }
            """;
        const string Second = """{ "FloatPixelData": [ 1 ], "SeriesInstanceUID": "1.4", "NumberOfFrames": "3" }""";
        var json = $"{{{string.Join(',', Enumerable.Range(0, instances).Select(i => $"\"a{i}\":{First},\"b{i}\":{Second},\"c{i}\":{{}}"))}}}";

        var tags = await JsonSerializer.DeserializeAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json)), OrthancJson.Default.DictionaryStringInstanceTags);

        Assert.Equal(3 * instances, tags!.Count);
        for (var i = 0; i < instances; i++)
        {
            Assert.Equal(new InstanceTags { StudyInstanceUid = "1.2", SopInstanceUid = "1.3", Rows = "512", PixelData = true }, tags[$"a{i}"]);
            Assert.Equal(new InstanceTags { SeriesInstanceUid = "1.4", NumberOfFrames = "3", FloatPixelData = true }, tags[$"b{i}"]);
            Assert.Equal(new InstanceTags(), tags[$"c{i}"]);
        }
    }
}
