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
    /// <summary>All masks that were ever approved for and burned into the image.</summary>
    public IReadOnlyList<ApprovedMask> Masks { get; init; } = [];

    /// <summary>As counted when it was masked.</summary>
    public long Frames { get; init; }
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

            var masks = (await connection.QueryAsync<(string Id, string Masks, long Frames)>(
                    $"""
                    SELECT i.orthanc_id, COALESCE(i.masks, j.regions) AS masks, i.frames FROM mask_job_items i JOIN mask_jobs j ON j.id = i.job_id
                    WHERE i.state = 'masked' AND {connection.IsOneOf("i.orthanc_id", "@masked")} ORDER BY j.created_at, j.id
                    """,
                    new { masked = images.Select(i => i.OrthancId).ToArray() },
                    transaction))
                .ToLookup(m => m.Id);
            foreach (var image in images)
            {
                found[image.OrthancId] = image with
                {
                    Masks = [.. masks[image.OrthancId].SelectMany(m => JsonSerializer.Deserialize(m.Masks, MaskedImagesJson.Default.ListApprovedMask)!).Distinct()],
                    Frames = masks[image.OrthancId].Max(m => (long?)m.Frames) ?? 1,
                };
            }
        }

        return found;
    }
}

/// <summary>A mask as jobs store it.</summary>
/// <param name="Frames">All where null; else as <see cref="FrameNumbers"/> writes them.</param>
internal sealed record ApprovedMask(int X, int Y, int Width, int Height, string? Frames = null)
{
    [JsonIgnore]
    public Region Region => new(X, Y, Width, Height);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(List<ApprovedMask>))]
internal sealed partial class MaskedImagesJson : JsonSerializerContext;
