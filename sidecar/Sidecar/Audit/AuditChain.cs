using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sidecar.Audit;

/// <summary>
/// What makes the audit tamper-evident: each row's hash covers the hash of the row before it, so that no row can be changed, removed or moved
/// without changing every hash after it.
/// </summary>
/// <remarks>
/// The bytes that are hashed are written down in docs/audit.md for others to compute: each field as its length in bytes, a colon, its UTF-8 and a
/// comma; a field without a value as "-,". Lengths make the form unambiguous, and no rule of JSON or of a database's text order matters.
/// </remarks>
internal static class AuditChain
{
    /// <summary>Stands for the hash of the row before the first.</summary>
    public static readonly string Genesis = new('0', SHA256.HashSizeInBytes * 2);

    private const string Form = "sidecar-audit-1";

    /// <summary>SHA-256 of <paramref name="row"/> after the row with <paramref name="previousHash"/>, lower-case hexadecimal. Its own <c>Hash</c> is not looked at.</summary>
    public static string HashOf(string previousHash, AuditRow row)
    {
        var text = new StringBuilder(1024);
        string?[] fields =
        [
            Form,
            previousHash,
            row.Sequence.ToString(CultureInfo.InvariantCulture),
            row.At,
            row.Action,
            row.Subject,
            row.Name,
            row.JobId,
            row.StudyInstanceUid,
            row.SeriesInstanceUid,
            row.SopInstanceUid,
            row.SoftwareVersion,
            row.Details,
        ];
        foreach (var field in fields)
        {
            _ = field is null
                ? text.Append("-,")
                : text.Append(CultureInfo.InvariantCulture, $"{Encoding.UTF8.GetByteCount(field)}:{field},");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
