using System.Data.Common;
using Dapper;

namespace Sidecar.Storage;

/// <summary>
/// Ties the journal folder to a database in another place: a node that took over a job without the journal of the node before it would
/// not know what hung on an image that was just replaced, and would lose it. SQLite lies beside its journal and needs no tie.
/// </summary>
internal static class JournalIdentity
{
    private const string FileName = "identity";

    /// <exception cref="InvalidOperationException">The folder is not this database's journal; the message says what to do.</exception>
    public static async Task Check(DbConnection connection, string journalFolder, CancellationToken token)
    {
        PrivateFiles.CreateFolder(journalFolder);
        var path = Path.Combine(journalFolder, FileName);
        await using var transaction = await connection.BeginTransactionAsync(token);
        await transaction.Lock("journal");
        var found = File.Exists(path) ? (await File.ReadAllTextAsync(path, token)).Trim() : null;
        var known = await connection.ExecuteScalarAsync<string?>("SELECT value FROM journal_identity WHERE id = 1", transaction: transaction);
        if (known is null)
        {
            if (found is null)
            {
                found = Guid.NewGuid().ToString();
                await using var file = PrivateFiles.Create(path);
                await file.WriteAsync(System.Text.Encoding.ASCII.GetBytes(found), token);
                file.Flush(flushToDisk: true);
            }

            await connection.ExecuteAsync("INSERT INTO journal_identity (id, value) VALUES (1, @found)", new { found }, transaction);
            await transaction.CommitAsync(token);
        }
        else if (known != found)
        {
            throw new InvalidOperationException(
                $"{journalFolder} is not the journal of this database: its file \"{FileName}\" {(found is null ? "is missing" : "belongs to another")}. "
                + "All sidecars of one database need the same Storage:Directory, on storage they share. "
                + $"Only if the journal is lost for good, write {known} into that file: images that were being replaced then lose their metadata and attachments of Orthanc.");
        }
    }
}
