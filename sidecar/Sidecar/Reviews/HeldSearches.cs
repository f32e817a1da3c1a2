using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Sidecar.Http;
using Sidecar.Orthanc;

namespace Sidecar.Reviews;

/// <summary>
/// Answers searches (QIDO-RS) of users from whom studies are held back, as if the archive held the others alone: pages are counted over what is left, and counts that
/// Orthanc makes over all studies of a patient are left out.
/// </summary>
internal sealed class HeldSearches(HeldStudies held, OrthancClient orthanc) : IEndpointFilter
{
    private const int PageSize = 500;
    private const string StudyInstanceUid = "0020000D";

    // NumberOfPatientRelatedStudies, …Series, …Instances: held studies would be counted.
    private static readonly HashSet<string> PatientCounts = ["00201200", "00201202", "00201204"];

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        return held.AreHeldFrom(http.User) ? await Search(http) : await next(context);
    }

    private async Task<IResult> Search(HttpContext http)
    {
        var token = http.RequestAborted;
        var (query, offset, limit) = Split(http.Request.QueryString);
        if (offset is null || limit is null)
        {
            return Problems.Of(400, "invalid-request", "Invalid request", "limit and offset must be whole numbers from 0 on.");
        }

        using var buffer = new MemoryStream();
        await using var json = new Utf8JsonWriter(buffer);
        json.WriteStartArray();
        var (contentType, met, written) = ("application/dicom+json", 0, 0);
        for (var page = 0; limit == 0 || written < limit; page++)
        {
            using var answer = await orthanc.Search($"{http.Request.Path.Value![1..]}{query}&limit={PageSize}&offset={page * PageSize}", token);
            if (!answer.IsSuccessStatusCode)
            {
                return (int)answer.StatusCode is >= 500 or 401 or 403
                    ? Problems.Of(502, "search-failed", "Search failed", "The image archive (Orthanc) failed on this search, or refuses this service.")
                    : Problems.Of((int)answer.StatusCode, "search-refused", "Search not understood", "The image archive (Orthanc) does not understand this search.");
            }

            contentType = answer.Content.Headers.ContentType?.ToString() ?? contentType;
            using var found = await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(token), cancellationToken: token);
            var items = found.RootElement.EnumerateArray().ToList();
            if (items.Count == 0)
            {
                break; // Orthanc may give less than a page before the end
            }

            var readable = await held.FindReadable([.. items.Select(StudyOf).OfType<string>().Distinct()], token);
            foreach (var item in items.Where(i => StudyOf(i) is { } study && readable.Contains(study)))
            {
                if (met++ >= offset && (limit == 0 || written < limit))
                {
                    Write(json, item);
                    written++;
                }
            }
        }

        json.WriteEndArray();
        await json.FlushAsync(token);
        http.Response.ContentType = contentType;
        http.Response.Headers.CacheControl = "no-store";
        await http.Response.Body.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), token);
        return TypedResults.Empty;
    }

    /// <summary>The query without its paging, asking for the study of each result; offset and limit are null where they are no numbers, limit 0 is none.</summary>
    internal static (string Query, int? Offset, int? Limit) Split(QueryString query)
    {
        var (rest, offset, limit) = (new List<string> { $"includefield={StudyInstanceUid}" }, (int?)0, (int?)0);
        foreach (var pair in new QueryStringEnumerable(QidoEndpoint.RepairQuery(query)))
        {
            switch (pair.DecodeName().ToString())
            {
                case "offset":
                    offset = Number(pair.DecodeValue().Span);
                    break;
                case "limit":
                    limit = Number(pair.DecodeValue().Span);
                    break;
                default:
                    rest.Add($"{pair.EncodedName}={pair.EncodedValue}");
                    break;
            }
        }

        return ("?" + string.Join('&', rest), offset, limit);

        static int? Number(ReadOnlySpan<char> text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static string? StudyOf(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty(StudyInstanceUid, out var attribute) && attribute.TryGetProperty("Value", out var values)
            && values.ValueKind == JsonValueKind.Array && values.GetArrayLength() == 1 && values[0].ValueKind == JsonValueKind.String
            ? values[0].GetString()
            : null;

    private static void Write(Utf8JsonWriter json, JsonElement item)
    {
        json.WriteStartObject();
        foreach (var attribute in item.EnumerateObject().Where(a => !PatientCounts.Contains(a.Name.ToUpperInvariant())))
        {
            attribute.WriteTo(json);
        }

        json.WriteEndObject();
    }
}
