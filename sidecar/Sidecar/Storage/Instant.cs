using System.Globalization;

namespace Sidecar.Storage;

/// <summary>Points in time as the database keeps them: ISO 8601 in UTC, so that text order is time order.</summary>
internal static class Instant
{
    public static string ToText(DateTimeOffset at) => at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    public static DateTimeOffset FromText(string text) => DateTimeOffset.ParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
