using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Sidecar.Http;

/// <summary>nginx asks here (auth_request) before it lets a DICOMweb read through to Orthanc.</summary>
internal static partial class AuthorizeReadEndpoint
{
    public static RouteHandlerBuilder MapAuthorizeRead(this WebApplication app) =>
        app.MapGet("/internal/authorize-read", Decide).ExcludeFromDescription();

    // Any valid token may read. nginx refuses other methods and path tricks itself; this door does not rely on it.
    private static Results<NoContent, ProblemHttpResult> Decide(HttpRequest request)
    {
        var method = request.Headers["X-Original-Method"].ToString();
        var path = request.Headers["X-Original-URI"].ToString().Split('?', 2)[0];
        return method is "GET" or "HEAD" && DicomWebRead().IsMatch(path) ? TypedResults.NoContent() : Problems.Forbidden();
    }

    // PS3.18 8.3: study, series, instance and frame resources. Of escaped characters only the comma of a frame list is needed.
    [GeneratedRegex(@"^/dicom-web/(studies|series|instances)(/(?!\.{1,2}(/|\z))([A-Za-z0-9.,_-]|%2[Cc])+)*/?\z")]
    private static partial Regex DicomWebRead();
}
