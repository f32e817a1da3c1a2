using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Sidecar.Orthanc;
using Sidecar.Storage;

namespace Sidecar.Reviews;

/// <summary>Which reviews to list. What is null does not restrict.</summary>
internal sealed record ReviewFilter
{
    public ReviewState? State { get; init; }

    public string? Modality { get; init; }

    public string? Station { get; init; }

    public DateTimeOffset? From { get; init; }

    public DateTimeOffset? To { get; init; }

    public ReviewSort Sort { get; init; }

    public string Where
    {
        get
        {
            List<string> conditions = ["1 = 1"];
            Add(State, "state = @state");
            Add(Modality, "modalities LIKE @modality ESCAPE '!'");
            Add(Station, "stations LIKE @station ESCAPE '!'");
            Add(From, "arrived_at >= @from");
            Add(To, "arrived_at < @to");
            return string.Join(" AND ", conditions);

            void Add(object? value, string condition)
            {
                if (value is not null)
                {
                    conditions.Add(condition);
                }
            }
        }
    }

    public string Order => Sort switch
    {
        ReviewSort.Newest => "arrived_at DESC, study_instance_uid",
        ReviewSort.Risk => "risk DESC, arrived_at, study_instance_uid",
        _ => "arrived_at, study_instance_uid",
    };

    public object Parameters(int offset, int limit) => new
    {
        state = State is { } state ? ReviewReader.Word(state) : null,
        modality = Like(Modality),
        station = Like(Station),
        from = From is { } from ? Instant.ToText(from) : null,
        to = To is { } to ? Instant.ToText(to) : null,
        offset,
        limit,
    };

    private static string? Like(string? word) =>
        word is null ? null : $"%,{word.Replace(',', ' ').Replace("!", "!!", StringComparison.Ordinal).Replace("%", "!%", StringComparison.Ordinal).Replace("_", "!_", StringComparison.Ordinal)},%";
}

/// <summary>Reviews as people see them: rows of ours, with what DICOM says of the study read from Orthanc at this moment.</summary>
internal sealed class ReviewReader(Database database, OrthancClient orthanc)
{
    private const int Requests = 4;

    private sealed record CountRow
    {
        public string State { get; init; } = "";

        public long Studies { get; init; }
    }

    public async Task<ReviewList> List(ReviewFilter filter, int offset, int limit, CancellationToken token)
    {
        var (counts, total, rows) = await database.Read(
            async c => (
                await ReadCounts(c),
                await c.ExecuteScalarAsync<long>($"SELECT COUNT(*) FROM reviews WHERE {filter.Where}", filter.Parameters(offset, limit)),
                (await c.QueryAsync<ReviewRow>($"SELECT {ReviewRow.Columns} FROM reviews WHERE {filter.Where} ORDER BY {filter.Order} LIMIT @limit OFFSET @offset", filter.Parameters(offset, limit))).AsList()),
            token);
        var views = new ConcurrentDictionary<string, ReviewView>();
        await Parallel.ForEachAsync(
            rows,
            new ParallelOptions { MaxDegreeOfParallelism = Requests, CancellationToken = token },
            async (row, t) => views[row.StudyInstanceUid] = await ToView(row, t));
        return new ReviewList(counts, (int)total, [.. rows.Select(r => views[r.StudyInstanceUid])]);
    }

    /// <summary>Null where nothing is known of the study.</summary>
    public async Task<ReviewView?> Read(string study, CancellationToken token) =>
        await database.Read(c => c.QuerySingleOrDefaultAsync<ReviewRow>($"SELECT {ReviewRow.Columns} FROM reviews WHERE study_instance_uid = @study", new { study }), token) is { } row
            ? await ToView(row, token)
            : null;

    public static async Task<ReviewCounts> ReadCounts(DbConnection connection)
    {
        var counts = (await connection.QueryAsync<CountRow>("SELECT state, COUNT(*) AS studies FROM reviews GROUP BY state")).ToDictionary(c => c.State, c => (int)c.Studies);
        return new ReviewCounts(Of(ReviewState.New), Of(ReviewState.Clean), Of(ReviewState.Findings), Of(ReviewState.InReview), Of(ReviewState.Finalized));

        int Of(ReviewState state) => counts.GetValueOrDefault(Word(state));
    }

    /// <summary>As the database has it.</summary>
    public static string Word(ReviewState state) => state == ReviewState.InReview ? "inReview" : state.ToString().ToLowerInvariant();

    private async Task<ReviewView> ToView(ReviewRow row, CancellationToken token)
    {
        // A lookup first: what is not there any more is told at once, and not asked for again and again.
        var isThere = (await orthanc.Lookup(row.StudyInstanceUid, token)).Any(a => a.Type == "Study" && a.Id == row.StudyOrthancId);
        var study = isThere ? await orthanc.FindResource(OrthancLevel.Studies, new OrthancId(row.StudyOrthancId), token) : null;
        return new ReviewView(
            row.StudyInstanceUid,
            Enum.Parse<ReviewState>(row.State, ignoreCase: true),
            row.Modalities.Split(',', StringSplitOptions.RemoveEmptyEntries),
            row.Stations.Split(',', StringSplitOptions.RemoveEmptyEntries),
            (int)row.Images,
            (int)row.Findings,
            (int)(row.FindingGroups ?? row.Findings),
            (int)row.Open,
            (int)row.Undecided,
            (int)(row.UndecidedGroups ?? row.Undecided),
            (int)row.NotApplied,
            (int)row.Unscannable,
            (int)row.Missed,
            row.IsWeak != 0,
            Instant.FromText(row.ArrivedAt),
            study is not null,
            study?.MainDicomTags?.GetValueOrDefault("StudyDate"),
            study?.MainDicomTags?.GetValueOrDefault("StudyDescription"),
            study?.PatientMainDicomTags is { } patient ? new ReviewPatient(patient.GetValueOrDefault("PatientName") ?? "", patient.GetValueOrDefault("PatientID") ?? "") : null,
            row.OpenedByName,
            row.OpenedAt is null ? null : Instant.FromText(row.OpenedAt),
            row.FinalizedByName,
            row.FinalizedAt is null ? null : Instant.FromText(row.FinalizedAt));
    }
}
