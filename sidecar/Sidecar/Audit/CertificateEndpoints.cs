using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Sidecar.Http;

namespace Sidecar.Audit;

/// <summary>The certificate of a finished mask job, for those who mask and those who read the audit.</summary>
internal static class CertificateEndpoints
{
    public static void MapCertificates(this WebApplication app)
    {
        var jobs = app.MapGroup("/api/mask-jobs/{id}").WithTags("MaskJobs").RequireAuthorization(PermissionOptions.CertificatePolicy)
            .ProducesProblem(401).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409);
        jobs.MapGet("/certificate", ReadJson).WithName("getCertificate").WithSummary("What was burned where, by whom, with hashes and proof; sidecar verify checks it offline.")
            .Produces<string>(200, "application/json");
        jobs.MapGet("/certificate.html", ReadPage).WithName("getCertificatePage").WithSummary("The same as a page to print.").Produces<string>(200, "text/html");
    }

    private static Task<Results<FileContentHttpResult, ProblemHttpResult>> ReadJson(string id, ClaimsPrincipal user, CertificateIssuer issuer, CancellationToken token) =>
        Answer(id, user, issuer, c => TypedResults.File(Encoding.UTF8.GetBytes(c.ToJson()), "application/json", $"certificate-{c.Job}.json"), token);

    private static Task<Results<FileContentHttpResult, ProblemHttpResult>> ReadPage(string id, ClaimsPrincipal user, CertificateIssuer issuer, CancellationToken token) =>
        Answer(id, user, issuer, c => TypedResults.File(Encoding.UTF8.GetBytes(CertificatePage.Render(c)), "text/html; charset=utf-8"), token);

    private static async Task<Results<FileContentHttpResult, ProblemHttpResult>> Answer(
        string id, ClaimsPrincipal user, CertificateIssuer issuer, Func<Certificate, FileContentHttpResult> render, CancellationToken token)
    {
        try
        {
            return await issuer.Issue(id, user.Subject(), user.DisplayName(), token) is { } certificate ? render(certificate) : Problems.NotFound("The audit knows no mask job with this id.");
        }
        catch (CertificateException e)
        {
            return Problems.Of(409, "no-certificate", "No certificate yet", e.Message);
        }
    }
}
