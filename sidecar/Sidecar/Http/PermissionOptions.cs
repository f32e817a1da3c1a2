namespace Sidecar.Http;

/// <summary>Which role names of the site give which permission. Section <c>Permissions</c>.</summary>
internal sealed record PermissionOptions
{
    public const string MaskPermission = "mask";
    public const string ConfirmPermission = "confirm";
    public const string RestorePermission = "restore";
    public const string ReviewPermission = "review";
    public const string AuditPermission = "audit";
    public const string AdministerPermission = "administer";

    /// <summary>One of those named is enough.</summary>
    public const string JobsPolicy = "mask, confirm or restore";
    public const string CertificatePolicy = "mask, confirm or audit";
    public const string MaskOrReviewPolicy = "mask or review";
    public const string DashboardPolicy = "review, audit or administer";

    // Null and not a default list: the configuration binder would append the site's names to it, and the default role would stay in force.
    public string[]? Mask { get; init; }

    /// <summary>May confirm or decline what another person approved (<c>MaskJobs:TwoPersonApproval</c>). Default: whoever may mask.</summary>
    public string[]? Confirm { get; init; }

    /// <summary>May have kept originals put back (<c>MaskJobs:UndoDays</c>). Nobody by default.</summary>
    public string[]? Restore { get; init; }

    public string[]? Review { get; init; }

    public string[]? Audit { get; init; }

    public string[]? Administer { get; init; }

    /// <summary>The permissions that <paramref name="roles"/> give, in the order above. Role names are compared exactly.</summary>
    public IReadOnlyList<string> Of(IReadOnlySet<string> roles)
    {
        var mask = Mask ?? ["image-masking"];
        (string Permission, string[] Roles)[] table =
        [
            (MaskPermission, mask),
            (ConfirmPermission, Confirm ?? mask),
            (RestorePermission, Restore ?? []),
            (ReviewPermission, Review ?? ["image-review"]),
            (AuditPermission, Audit ?? ["audit-reader"]),
            (AdministerPermission, Administer ?? ["sidecar-administrator"]),
        ];
        return [.. table.Where(row => row.Roles.Any(roles.Contains)).Select(row => row.Permission)];
    }
}
