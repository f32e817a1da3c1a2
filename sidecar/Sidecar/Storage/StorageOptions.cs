using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Sidecar.Storage;

/// <summary>Where the service keeps its state. Section <c>Storage</c>.</summary>
internal sealed record StorageOptions
{
    /// <summary>A folder for <c>journal/</c>, <c>sealed/</c>, <c>quarantine.log</c> and, without <see cref="ConnectionString"/>, <c>sidecar.db</c>; created readable by the service's user alone.</summary>
    [Required(ErrorMessage = "Storage:Directory (SIDECAR_Storage__Directory) is missing: give a folder on a local disk, or with PostgreSQL one that all sidecars share.")]
    public string Directory { get; init; } = "";

    /// <summary>A PostgreSQL database in Npgsql's words (<c>Host=…;Database=…;Username=…;Passfile=…</c>); empty: SQLite in <see cref="Directory"/>.</summary>
    public string ConnectionString { get; init; } = "";

    public bool UsesPostgres => ConnectionString.Length > 0;

    public string DatabaseFile => Path.Combine(Directory, "sidecar.db");

    public string QuarantineFile => Path.Combine(Directory, "quarantine.log");

    public string SealedDirectory => Path.Combine(Directory, "sealed");

    public string JournalDirectory => Path.Combine(Directory, "journal");
}

/// <summary>Rules of <see cref="StorageOptions"/> that attributes cannot say. Never repeats the connection string: it may hold a password.</summary>
internal sealed class StorageOptionsRules : IValidateOptions<StorageOptions>
{
    public ValidateOptionsResult Validate(string? name, StorageOptions options)
    {
        if (!options.UsesPostgres)
        {
            return ValidateOptionsResult.Success;
        }

        try
        {
            var parts = new NpgsqlConnectionStringBuilder(options.ConnectionString);
            return string.IsNullOrEmpty(parts.Host) || string.IsNullOrEmpty(parts.Database)
                ? ValidateOptionsResult.Fail("Storage:ConnectionString must name Host and Database of a PostgreSQL server, e.g. Host=db.example;Database=sidecar;Username=sidecar;Passfile=/run/secrets/pgpass.")
                : ValidateOptionsResult.Success;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            return ValidateOptionsResult.Fail("Storage:ConnectionString cannot be read: write it as name=value pairs with semicolons in between, in the words of Npgsql (PostgreSQL for .NET).");
        }
    }
}
