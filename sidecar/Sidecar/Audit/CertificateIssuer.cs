using Dapper;
using Microsoft.Extensions.Options;
using Sidecar.Storage;

namespace Sidecar.Audit;

/// <summary>Makes certificates of finished mask jobs from the audit.</summary>
internal sealed class CertificateIssuer(Database database, AuditLog audit, IOptions<AuditOptions> options, TimeProvider time)
{
    private sealed record PreviousHash
    {
        public required long Sequence { get; init; }

        public string? Hash { get; init; }
    }

    /// <summary>The certificate, signed where a key is set; issuing it is a row of the audit. Null where the audit knows no such job.</summary>
    /// <exception cref="CertificateException">The job is not finished.</exception>
    public async Task<Certificate?> Issue(string job, string subject, string name, CancellationToken token)
    {
        using var key = options.Value.SigningKeyFile is { } file ? AuditKey.Read(file) : null;
        return await database.Write(
            async t =>
            {
                var connection = t.Connection!;
                var rows = (await connection.QueryAsync<AuditRow>(
                    $"SELECT {AuditRow.Columns} FROM audit_events WHERE job_id = @job AND action <> 'certificateIssued' ORDER BY sequence", new { job }, t)).AsList();
                if (rows.Count == 0)
                {
                    return null;
                }

                if (rows[0].Action == "restoreCreated")
                {
                    throw new CertificateException("This job put originals back; there is no certificate of masking for it. That of the masking it undid says so.");
                }

                if (!rows.Any(r => r.Action == "maskJobFinished"))
                {
                    throw new CertificateException("The mask job is not finished. Ask again when it is.");
                }

                var previous = (await connection.QueryAsync<PreviousHash>(
                    "SELECT sequence + 1 AS sequence, hash FROM audit_events WHERE sequence IN (SELECT sequence - 1 FROM audit_events WHERE job_id = @job)", new { job }, t))
                    .ToDictionary(p => p.Sequence, p => p.Hash);
                var certificate = new Certificate
                {
                    Job = job,
                    IssuedAt = Instant.ToText(time.GetUtcNow()),
                    Events = [.. rows.Select(r => new Certificate.ChainedRow(r, previous.GetValueOrDefault(r.Sequence) ?? AuditChain.Genesis))],
                    PublicKey = key?.PublicKey,
                };
                certificate = certificate with { Signature = key?.Sign(certificate.SignedText) };
                await audit.Append(t, new AuditEvent("certificateIssued", subject, name)
                {
                    JobId = job,
                    StudyInstanceUid = rows[0].StudyInstanceUid,
                    Details = new() { ["lastRow"] = rows[^1].Sequence, ["signed"] = key is not null },
                });
                return certificate;
            },
            token);
    }
}
