using Microsoft.AspNetCore.Http;
using Sidecar.Orthanc;
using Sidecar.Tests.Http;
using Xunit;

namespace Sidecar.Tests.Orthanc;

public sealed class QidoTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("?limit=5", "?limit=5")]
    [InlineData("?includefield=00080070,00080080", "?includefield=00080070&includefield=00080080")]
    [InlineData("?includefield=a&includefield=b,%20c,&x=1,2", "?includefield=a&includefield=b&includefield=c&x=1%2C2")]
    [InlineData("?PatientName=M%C3%BCller*%26x=1", "?PatientName=M%C3%BCller*%26x%3D1")]
    [InlineData("?PatientName=DOE%5EJ%3F%2A&StudyDate=20260101-&x=a%20b%23%25", "?PatientName=DOE^J?*&StudyDate=20260101-&x=a%20b%23%25")]
    public void Only_the_list_of_includefield_is_split(string asked, string forwarded) => Assert.Equal(forwarded, QidoEndpoint.RepairQuery(new QueryString(asked)));

    [Fact]
    public async Task The_search_reaches_Orthanc_on_the_same_path_and_its_answer_comes_back_as_it_is()
    {
        await using var app = new SidecarApp();
        Uri? asked = null;
        app.Orthanc = request =>
        {
            asked = request.RequestUri;
            return SidecarApp.Json("[{\"a\":1}]");
        };
        using var client = app.ClientWith();

        Assert.Equal("[{\"a\":1}]", await client.GetStringAsync("/dicom-web/studies/1.2/series?includefield=a,b"));
        Assert.Equal("/dicom-web/studies/1.2/series?includefield=a&includefield=b", asked!.PathAndQuery);
        await client.GetStringAsync("/dicom-web/studies?PatientName=DOE%5EJ*");
        Assert.Equal("/dicom-web/studies?PatientName=DOE^J*", asked!.PathAndQuery);
    }
}
