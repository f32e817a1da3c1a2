using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Sidecar.Audit;
using Sidecar.Http;

namespace Sidecar.Reviews;

/// <summary>Templates over HTTP: those who mask or review read them, those who review keep them, administrators bring in those of others.</summary>
internal static class TemplateEndpoints
{
    private const int MostRegions = 100;
    private const int MostImported = 1000;
    private const int LongestText = 100;
    private const int LargestImage = 65535; // Rows and Columns are US, PS3.3 C.7.6.3.1

    public static void MapTemplates(this WebApplication app)
    {
        var templates = app.MapGroup("/api/mask-templates").WithTags("MaskTemplates").ProducesProblem(401).ProducesProblem(403);
        templates.MapGet("/", List).WithName("listMaskTemplates").RequireAuthorization(PermissionOptions.MaskOrReviewPolicy);
        templates.MapGet("/export", Export).WithName("exportMaskTemplates").RequireAuthorization(PermissionOptions.MaskOrReviewPolicy)
            .WithSummary("All templates as a file, without who made them.");
        templates.MapPost("/", Create).WithName("createMaskTemplate").RequireAuthorization(PermissionOptions.ReviewPermission).AddEndpointFilter<RefusalAudit>().ProducesProblem(400);
        templates.MapPut("/{id}", Change).WithName("changeMaskTemplate").RequireAuthorization(PermissionOptions.ReviewPermission).AddEndpointFilter<RefusalAudit>().ProducesProblem(400).ProducesProblem(404);
        templates.MapDelete("/{id}", Delete).WithName("deleteMaskTemplate").RequireAuthorization(PermissionOptions.ReviewPermission).AddEndpointFilter<RefusalAudit>().ProducesProblem(404);
        templates.MapPost("/import", Import).WithName("importMaskTemplates").RequireAuthorization(PermissionOptions.AdministerPermission)
            .WithSummary("Adds the templates of an exported file: all of them or, if one is wrong, none. What is there already stays as it is.")
            .AddEndpointFilter<RefusalAudit>().ProducesProblem(400);
    }

    private static async Task<Ok<MaskTemplateList>> List(TemplateStore store, CancellationToken token) => TypedResults.Ok(new MaskTemplateList(await store.List(token)));

    private static async Task<Ok<MaskTemplateFile>> Export(HttpResponse response, TemplateStore store, CancellationToken token)
    {
        response.Headers.ContentDisposition = "attachment; filename=mask-templates.json";
        return TypedResults.Ok(new MaskTemplateFile(TemplateStore.FileFormat, [.. (await store.List(token)).Select(TemplateStore.ToRequest)]));
    }

    private static async Task<Results<Created<MaskTemplate>, ProblemHttpResult>> Create(MaskTemplateRequest request, ClaimsPrincipal user, TemplateStore store, CancellationToken token)
    {
        if (FaultOf(request) is { } fault)
        {
            return Invalid(fault);
        }

        var made = await store.Create(request, user.Subject(), user.DisplayName(), token);
        return TypedResults.Created($"/api/mask-templates/{made.Id}", made);
    }

    private static async Task<Results<Ok<MaskTemplate>, ProblemHttpResult>> Change(string id, MaskTemplateRequest request, ClaimsPrincipal user, TemplateStore store, CancellationToken token) =>
        FaultOf(request) is { } fault ? Invalid(fault)
            : await store.Change(id, request, user.Subject(), user.DisplayName(), token) is { } changed ? TypedResults.Ok(changed)
            : NoSuchTemplate();

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(string id, ClaimsPrincipal user, TemplateStore store, CancellationToken token) =>
        await store.Delete(id, user.Subject(), user.DisplayName(), token) ? TypedResults.NoContent() : NoSuchTemplate();

    private static async Task<Results<Ok<MaskTemplateImport>, ProblemHttpResult>> Import(MaskTemplateFile file, ClaimsPrincipal user, TemplateStore store, CancellationToken token)
    {
        if (file.Format != TemplateStore.FileFormat)
        {
            return Invalid($"This is not a file of templates: format is not {TemplateStore.FileFormat}.");
        }

        if (file.Templates.Count is 0 or > MostImported)
        {
            return Invalid($"The file must hold 1 to {MostImported} templates.");
        }

        for (var i = 0; i < file.Templates.Count; i++)
        {
            if (FaultOf(file.Templates[i]) is { } fault)
            {
                return Invalid($"Template {i + 1} of the file: {fault}");
            }
        }

        return TypedResults.Ok(await store.Import(file.Templates, user.Subject(), user.DisplayName(), token));
    }

    /// <summary>What is wrong with a template; null where nothing is.</summary>
    internal static string? FaultOf(MaskTemplateRequest? t)
    {
        if (t is null || string.IsNullOrWhiteSpace(t.Name) || t.Name.Length > LongestText)
        {
            return $"name must have 1 to {LongestText} characters.";
        }

        if (t.Device.Manufacturer.Length > LongestText || t.Device.Model.Length > LongestText || t.Device.Manufacturer.Length + t.Device.Model.Length == 0)
        {
            return $"device must name manufacturer or model, each with at most {LongestText} characters.";
        }

        if (t.Rows is < 1 or > LargestImage || t.Columns is < 1 or > LargestImage || t.Photometric is { Length: 0 or > 16 } || !FindingEndpoints.DicomUid().IsMatch(t.SopClass))
        {
            return "rows, columns, photometric and sopClass must be those of an image.";
        }

        return t.Regions.Count is 0 or > MostRegions
            || t.Regions.Any(r => r is null || r.X < 0 || r.Y < 0 || r.Width <= 0 || r.Height <= 0 || (long)r.X + r.Width > t.Columns || (long)r.Y + r.Height > t.Rows)
            ? $"Give 1 to {MostRegions} regions, all inside of the image."
            : null;
    }

    private static ProblemHttpResult Invalid(string detail) => Problems.Of(400, "invalid-request", "Invalid request", detail);

    private static ProblemHttpResult NoSuchTemplate() => Problems.NotFound("There is no template with this id (any more).");
}
