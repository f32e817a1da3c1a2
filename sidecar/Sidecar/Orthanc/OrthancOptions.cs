using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Options;

namespace Sidecar.Orthanc;

/// <summary>Where Orthanc is, and how much may be asked of it at once. Section <c>Orthanc</c>.</summary>
internal sealed record OrthancOptions
{
    /// <summary>Root of its REST API.</summary>
    [Required(ErrorMessage = "Orthanc:BaseUrl (SIDECAR_Orthanc__BaseUrl) is missing: give the address of Orthanc's REST API.")]
    public string BaseUrl { get; init; } = "";

    /// <summary>The service's own user at Orthanc; empty where Orthanc asks for none.</summary>
    public string UserName { get; init; } = "";

    public string Password { get; init; } = "";

    /// <summary>A file with the password and nothing else; instead of <see cref="Password"/>.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>Instances in work at once, each on one connection at most. Orthanc alone gains nothing beyond four on two cores; the others wait for the disk meanwhile.</summary>
    [Range(1, 64, ErrorMessage = "Orthanc:Connections must be 1 to 64.")]
    public int Connections { get; init; } = 16;

    /// <summary>Sum of the sizes of the files in work at once, in bytes; a larger file goes alone. Orthanc and the service each need about three times this.</summary>
    [Range(1L, long.MaxValue, ErrorMessage = "Orthanc:BytesInFlight must be positive.")]
    public long BytesInFlight { get; init; } = 64L * 1024 * 1024;

    /// <summary>The administrator vouches for a firewall, which is not seen from here: an Orthanc that serves others past nginx and the sidecar is not refused.</summary>
    public bool OthersAreKeptAway { get; init; }

    /// <summary><see cref="BaseUrl"/>, to which paths can be added.</summary>
    public Uri Root => new(BaseUrl.TrimEnd('/') + "/");

    /// <summary>Null where Orthanc asks for none.</summary>
    /// <exception cref="IOException">The password file cannot be read.</exception>
    public AuthenticationHeaderValue? Credentials() =>
        UserName.Length == 0 ? null : new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{UserName}:{(PasswordFile is null ? Password : File.ReadAllText(PasswordFile).Trim())}")));
}

/// <summary>Rules of <see cref="OrthancOptions"/> between fields.</summary>
internal sealed class OrthancOptionsRules : IValidateOptions<OrthancOptions>
{
    public ValidateOptionsResult Validate(string? name, OrthancOptions options)
    {
        List<string> faults = [];
        if (options.BaseUrl.Length > 0 && (!Uri.TryCreate(options.BaseUrl, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")))
        {
            faults.Add($"Orthanc:BaseUrl \"{options.BaseUrl}\" is not an http or https address.");
        }

        if (options.PasswordFile is { } file)
        {
            if (options.Password.Length > 0)
            {
                faults.Add("Orthanc: give Password or PasswordFile, not both.");
            }

            if (!File.Exists(file))
            {
                faults.Add($"Orthanc:PasswordFile {file} does not exist or may not be read.");
            }
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
