using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Sidecar.Http;

namespace Sidecar.Orthanc;

/// <summary>
/// DICOMweb searches (QIDO-RS, PS3.18 10.6) for viewers. OHIF sends the list of <c>includefield</c> with escaped commas (%2C), which Orthanc's plugin 1.7 ignores:
/// it is split here. Nothing but these six paths is forwarded.
/// </summary>
internal static class QidoEndpoint
{
    private const string Uid = "regex(^[0-9][0-9.]{{0,63}}$)";

    private static readonly string[] Paths =
    [
        "/dicom-web/studies",
        "/dicom-web/series",
        "/dicom-web/instances",
        $"/dicom-web/studies/{{study:{Uid}}}/series",
        $"/dicom-web/studies/{{study:{Uid}}}/instances",
        $"/dicom-web/studies/{{study:{Uid}}}/series/{{series:{Uid}}}/instances",
    ];

    public static RouteGroupBuilder MapQido(this WebApplication app)
    {
        var searches = app.MapGroup("").ExcludeFromDescription();
        foreach (var path in Paths)
        {
            searches.MapGet(path, Forward);
        }

        return searches;
    }

    private static async Task<Results<EmptyHttpResult, ProblemHttpResult>> Forward(HttpContext context, OrthancClient orthanc, CancellationToken token)
    {
        // The path consists of fixed words and UIDs here: the route saw to it.
        using var answer = await orthanc.Search(context.Request.Path.Value![1..] + RepairQuery(context.Request.QueryString), token);
        if ((int)answer.StatusCode >= 500)
        {
            return Problems.Of(502, "search-failed", "Search failed", "The image archive (Orthanc) failed on this search.");
        }

        if ((int)answer.StatusCode is 401 or 403)
        {
            return Problems.Of(502, "search-failed", "Search failed", "The image archive (Orthanc) refuses this service; sidecar doctor says more.");
        }

        context.Response.StatusCode = (int)answer.StatusCode;
        context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
        context.Response.Headers.CacheControl = "no-store";
        await answer.Content.CopyToAsync(context.Response.Body, token);
        return TypedResults.Empty;
    }

    // Orthanc's plugin 1.7 does not decode values: an escaped wildcard (PS3.4 C.2.2.2.4) or separator of name components finds nothing.
    private static string Escape(string value) =>
        Uri.EscapeDataString(value).Replace("%2A", "*", StringComparison.Ordinal).Replace("%3F", "?", StringComparison.Ordinal).Replace("%5E", "^", StringComparison.Ordinal);

    /// <summary>The query with each comma list of <c>includefield</c> as repeated parameters; all other parameters as they are.</summary>
    internal static string RepairQuery(QueryString query)
    {
        List<string> parameters = [];
        foreach (var pair in new QueryStringEnumerable(query.Value))
        {
            var name = pair.DecodeName().ToString();
            if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c == '.'))
            {
                continue; // Orthanc takes a GET with _method=DELETE for a DELETE; what is searched for is named by keywords, tags and dots.
            }

            var value = pair.DecodeValue().ToString();
            var values = name.Equals("includefield", StringComparison.OrdinalIgnoreCase) ? value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [value];
            parameters.AddRange(values.Select(v => $"{name}={Escape(v)}"));
        }

        return parameters.Count == 0 ? "" : "?" + string.Join('&', parameters);
    }
}
