using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Sidecar.Http;

/// <summary>Whose access tokens are believed, and where in them roles and names are found. Section <c>Authentication</c>.</summary>
internal sealed record TokenOptions
{
    /// <summary>The issuer: the exact <c>iss</c> of its tokens; discovery is at <c>/.well-known/openid-configuration</c> below it.</summary>
    [Required(ErrorMessage = "Authentication:Authority (SIDECAR_Authentication__Authority) is missing: give the address of the identity provider.")]
    public string Authority { get; init; } = "";

    /// <summary>The <c>aud</c> that a token must carry.</summary>
    [Required(ErrorMessage = "Authentication:Audience (SIDECAR_Authentication__Audience) is missing: give the audience that the identity provider writes into access tokens for this service.")]
    public string Audience { get; init; } = "";

    /// <summary>Where the discovery document is fetched, if not below <see cref="Authority"/> (for example by an address inside the private network).</summary>
    public string? MetadataAddress { get; init; }

    /// <summary>Path of the claim with the role names: <c>roles</c>, or <c>realm_access.roles</c> as Keycloak writes it.</summary>
    [Required(ErrorMessage = "Authentication:RolesClaim must not be empty.")]
    public string RolesClaim { get; init; } = "roles";

    /// <summary>The claim with the name to show and to audit; where a token lacks it, its <c>sub</c> is shown.</summary>
    [Required(ErrorMessage = "Authentication:NameClaim must not be empty.")]
    public string NameClaim { get; init; } = "name";

    /// <summary>Fetch keys over plain HTTP from another host than this one. Only for a private network that nobody else can write to.</summary>
    public bool AllowInsecureHttp { get; init; }

    /// <summary>The address of the discovery document.</summary>
    public string Discovery => MetadataAddress ?? Authority.TrimEnd('/') + "/.well-known/openid-configuration";
}

/// <summary>Rules of <see cref="TokenOptions"/> between fields.</summary>
internal sealed class TokenOptionsRules : IValidateOptions<TokenOptions>
{
    public ValidateOptionsResult Validate(string? name, TokenOptions options)
    {
        if (options.Authority.Length == 0)
        {
            return ValidateOptionsResult.Skip; // said by its own attribute
        }

        if (!Uri.TryCreate(options.Discovery, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            return ValidateOptionsResult.Fail($"Authentication: \"{options.Discovery}\" is not an http or https address.");
        }

        return address.Scheme == "http" && !address.IsLoopback && !options.AllowInsecureHttp
            ? ValidateOptionsResult.Fail($"Authentication: {address} would fetch the keys that decide who may mask over plain HTTP. Use https, or set Authentication:AllowInsecureHttp in a private network.")
            : ValidateOptionsResult.Success;
    }
}
