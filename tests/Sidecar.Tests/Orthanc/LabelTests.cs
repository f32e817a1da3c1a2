using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Sidecar.Orthanc;
using Sidecar.Storage;
using Xunit;

namespace Sidecar.Tests.Orthanc;

/// <summary>Labels, which the Orthanc that the other tests run does not know: with the answers that Orthanc 1.12 is documented to give.</summary>
public sealed class LabelTests : IDisposable
{
    private static readonly OrthancId Study = new("a-study");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sidecar-labels-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("1.12.0")]
    [InlineData("1.12.10")]
    [InlineData("mainline")]
    public async Task Labels_that_the_store_took_along_come_back_and_those_that_are_there_are_left(string version)
    {
        using var archive = new Labelled(version) { Labels = ["teaching", "TODO_2026", "follow-up"] };
        var snapshots = Snapshots(archive);
        var before = await snapshots.Take("job", OrthancLevel.Studies, Study, children: 1, default);
        Assert.Equal(["teaching", "TODO_2026", "follow-up"], before.Labels);

        archive.Labels = ["follow-up", "new"]; // one was given anew, by somebody who gave another as well
        await snapshots.RestoreMissing("job", before, default);

        Assert.Equal(["follow-up", "new", "teaching", "TODO_2026"], archive.Labels);
        Assert.Equal(["PUT /studies/a-study/labels/teaching", "PUT /studies/a-study/labels/TODO_2026"], archive.Changes);
        await snapshots.RestoreMissing("job", before, default); // after a kill
        Assert.Equal(2, archive.Changes.Count);
    }

    [Fact]
    public async Task A_label_that_Orthanc_does_not_take_back_is_not_forgotten()
    {
        using var archive = new Labelled("1.12.4") { Labels = ["teaching"] };
        var snapshots = Snapshots(archive);
        var before = await snapshots.Take("job", OrthancLevel.Studies, Study, children: 1, default);
        (archive.Labels, archive.TakesLabels) = ([], false);

        await Assert.ThrowsAsync<OrthancException>(() => snapshots.RestoreMissing("job", before, default));
    }

    [Fact]
    public async Task An_Orthanc_before_labels_is_not_asked_for_them()
    {
        using var archive = new Labelled("1.11.3");
        var snapshots = Snapshots(archive);

        var before = await snapshots.Take("job", OrthancLevel.Studies, Study, children: 1, default);
        await snapshots.RestoreMissing("job", before, default);

        Assert.Empty(before.Labels);
    }

    private ResourceSnapshots Snapshots(Labelled archive)
    {
        var journal = new ReplacementJournal(
            Options.Create(new StorageOptions { Directory = _folder.FullName }), new JournalKey(Options.Create(new JournalOptions { Key = Convert.ToBase64String(new byte[32]) })));
        return new(new OrthancClient(new HttpClient(archive, disposeHandler: false) { BaseAddress = new Uri("http://127.0.0.1:9/") }, TimeProvider.System), journal);
    }

    /// <summary>One study. Its labels are listed as an array of strings, and given one by one, by a PUT without a body; an older Orthanc answers 404 (Orthanc's REST API, "/studies/{id}/labels").</summary>
    private sealed class Labelled(string version) : HttpMessageHandler
    {
        public List<string> Labels { get; set; } = [];

        public bool TakesLabels { get; set; } = true;

        public List<string> Changes { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            const string Path = "/studies/a-study";
            var path = request.RequestUri!.AbsolutePath;
            var knowsLabels = !Version.TryParse(version, out var number) || number >= new Version(1, 12);
            if (request.Method == HttpMethod.Put && path.StartsWith($"{Path}/labels/", StringComparison.Ordinal) && knowsLabels)
            {
                Assert.Empty(await request.Content!.ReadAsByteArrayAsync(cancellationToken));
                Changes.Add($"PUT {path}");
                Labels.Add(path.Split('/')[^1]);
                return TakesLabels ? Answer("") : new HttpResponseMessage(HttpStatusCode.BadRequest) { RequestMessage = request };
            }

            return (request.Method.Method, path) switch
            {
                ("GET", "/system") => Answer(JsonSerializer.Serialize(new { Version = version, ApiVersion = 20 })),
                ("GET", $"{Path}/labels") when knowsLabels => Answer(JsonSerializer.Serialize(Labels)),
                ("GET", $"{Path}/metadata" or $"{Path}/attachments") => Answer("{}"),
                _ => new HttpResponseMessage(HttpStatusCode.NotFound) { RequestMessage = request },
            };
        }

        private static HttpResponseMessage Answer(string json) => new(HttpStatusCode.OK) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
    }
}
