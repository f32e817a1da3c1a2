using System.Globalization;
using System.Text.Json.Nodes;
using Sidecar.Storage;

namespace Sidecar.Audit;

/// <summary>Which rows to read. What is null does not restrict.</summary>
internal sealed record AuditFilter
{
    public DateTimeOffset? From { get; init; }

    public DateTimeOffset? To { get; init; }

    public string? Action { get; init; }

    public string? Subject { get; init; }

    public string? Study { get; init; }

    public string? Job { get; init; }

    /// <summary>The condition in SQL, for <see cref="Parameters"/>.</summary>
    public string Where
    {
        get
        {
            List<string> conditions = ["1 = 1"];
            Add(From, "at >= @from");
            Add(To, "at < @to");
            Add(Action, "action = @action");
            Add(Subject, "(subject = @subject OR name = @subject)");
            Add(Study, "study_instance_uid = @study");
            Add(Job, "job_id = @job");
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

    public object Parameters(long first = 0, long last = long.MaxValue, int limit = int.MaxValue) => new
    {
        from = From is { } from ? Instant.ToText(from) : null,
        to = To is { } to ? Instant.ToText(to) : null,
        action = Action,
        subject = Subject,
        study = Study,
        job = Job,
        first,
        last,
        limit,
    };

    /// <summary>What was asked for, for the row that tells of the reading.</summary>
    public JsonObject ToDetails()
    {
        var details = new JsonObject();
        Add("from", From?.ToString("O", CultureInfo.InvariantCulture));
        Add("to", To?.ToString("O", CultureInfo.InvariantCulture));
        Add("action", Action);
        Add("subject", Subject);
        Add("study", Study);
        Add("job", Job);
        return details;

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                details[name] = value;
            }
        }
    }
}
