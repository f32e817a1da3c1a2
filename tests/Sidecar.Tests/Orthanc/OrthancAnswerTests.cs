using System.Net;
using System.Text;
using Sidecar.Orthanc;
using Xunit;

namespace Sidecar.Tests.Orthanc;

/// <summary>What is told, and stands in a job's failures and in the log, of an Orthanc that does not do what it is asked.</summary>
public sealed class OrthancAnswerTests
{
    private static readonly OrthancId Image = new("a-b-c");

    [Theory]
    [InlineData(401, "", "Orthanc refused the service's user (401). Check Orthanc:UserName and Orthanc:PasswordFile.")]
    [InlineData(403, "", "Orthanc refused the service's user (403). Check Orthanc:UserName and Orthanc:PasswordFile.")]
    [InlineData(400, "", "Orthanc answered 400 to GET /instances/a-b-c/metadata.")]
    [InlineData(200, "null", "Orthanc answered with an empty document.")]
    [InlineData(200, "<html>", "Orthanc's answer broke off or is not what its API promises.")]
    [InlineData(200, "{\"Origin\":", "Orthanc's answer broke off or is not what its API promises.")]
    public async Task Reading_says_what_came_instead(int status, string body, string sentence)
    {
        var fault = await Assert.ThrowsAsync<OrthancException>(() => Client(status, body).ReadMetadata(OrthancLevel.Instances, Image, default));

        Assert.Equal(sentence, fault.Message);
    }

    [Theory]
    [InlineData("{\"ID\":\"a-b-c\",\"Status\":\"FilteredOut\"}", "Orthanc did not store an instance; it answered \"FilteredOut\".")]
    [InlineData("{\"ID\":\"a-b-c\",\"Status\":\"AlreadyStored\"}", "Orthanc keeps the old image when a masked one is stored, so nothing can be masked. The administrator must set \"OverwriteInstances\": true in Orthanc's configuration and restart Orthanc.")]
    public async Task Storing_says_what_was_not_stored(string body, string sentence)
    {
        using var file = new MemoryStream([1]);

        var fault = await Assert.ThrowsAnyAsync<OrthancException>(() => Client(200, body).StoreInstance(file, default));

        Assert.Equal(sentence, fault.Message);
    }

    [Fact]
    public async Task An_Orthanc_that_is_not_there_is_said_to_be_silent()
    {
        var fault = await Assert.ThrowsAsync<OrthancException>(() => Client(0, "").DeleteInstance(Image, default));

        Assert.Equal("Orthanc does not answer: Connection refused", fault.Message);
    }

    private static OrthancClient Client(int status, string body) => new(new HttpClient(new Fixed(status, body)) { BaseAddress = new Uri("http://127.0.0.1:9/") }, TimeProvider.System);

    /// <summary>The same answer to everything; 0: none.</summary>
    private sealed class Fixed(int status, string body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            status == 0
                ? throw new HttpRequestException("Connection refused")
                : Task.FromResult(new HttpResponseMessage((HttpStatusCode)status) { RequestMessage = request, Content = new StringContent(body, Encoding.UTF8, "application/json") });
    }
}
