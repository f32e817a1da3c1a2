using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dapper;
using Sidecar.Dicom.Pixels;
using Sidecar.Storage;

namespace Sidecar.Orthanc;

/// <summary>What this service last stored over an image.</summary>
/// <param name="OrthancId">Of the instance.</param>
/// <param name="Md5">Of the file that was stored.</param>
/// <param name="Uuid">Orthanc's, of that file. The same file sent again has another one.</param>
internal sealed record MaskedImage(string OrthancId, string Md5, string Uuid)
{
    /// <summary>All regions that were ever approved for and burned into the image.</summary>
    public IReadOnlyList<Region> Regions { get; init; } = [];
}

/// <summary>Reads what was masked, by image.</summary>
internal static class MaskedImages
{
    private const int IdsAtOnce = 500;

    /// <summary>Those of <paramref name="ids"/> that were masked, by Orthanc's id.</summary>
    public static async Task<IReadOnlyDictionary<string, MaskedImage>> Read(DbConnection connection, IReadOnlyCollection<string> ids, DbTransaction? transaction = null)
    {
        var found = new Dictionary<string, MaskedImage>();
        foreach (var chunk in ids.Chunk(IdsAtOnce))
        {
            var images = (await connection.QueryAsync<MaskedImage>($"SELECT orthanc_id, md5, uuid FROM masked_instances WHERE {connection.IsOneOf("orthanc_id", "@chunk")}", new { chunk }, transaction)).AsList();
            if (images.Count == 0)
            {
                continue;
            }

            var regions = (await connection.QueryAsync<(string Id, string Regions)>(
                    $"""
                    SELECT i.orthanc_id, COALESCE(i.masks, j.regions) AS regions FROM mask_job_items i JOIN mask_jobs j ON j.id = i.job_id
                    WHERE i.state = 'masked' AND {connection.IsOneOf("i.orthanc_id", "@masked")} ORDER BY j.created_at, j.id
                    """,
                    new { masked = images.Select(i => i.OrthancId).ToArray() },
                    transaction))
                .ToLookup(r => r.Id, r => r.Regions);
            foreach (var image in images)
            {
                found[image.OrthancId] = image with { Regions = [.. regions[image.OrthancId].SelectMany(r => JsonSerializer.Deserialize(r, MaskedImagesJson.Default.ListStoredRegion)!).Select(r => new Region(r.X, r.Y, r.Width, r.Height)).Distinct()] };
            }
        }

        return found;
    }
}

internal sealed record StoredRegion(int X, int Y, int Width, int Height);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(List<StoredRegion>))]
internal sealed partial class MaskedImagesJson : JsonSerializerContext;
