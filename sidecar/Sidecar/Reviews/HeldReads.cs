using System.Text.RegularExpressions;
using Sidecar.Http;

namespace Sidecar.Reviews;

/// <summary>Stands before the answer to nginx's question whether a DICOMweb read may pass: not where the study is held back.</summary>
internal sealed partial class HeldReads(HeldStudies held) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (!held.AreHeldFrom(http.User))
        {
            return await next(context);
        }

        // As nginx got it and will hand it on: what is decided about is what Orthanc reads.
        var read = Read().Match(http.Request.Headers["X-Original-URI"].ToString().Split('?', 2)[0]);
        return read.Success && await held.MayRead(read.Groups["study"].Value, Value(read.Groups["series"]), Value(read.Groups["instance"]), http.RequestAborted)
            ? await next(context)
            : Problems.Forbidden();

        static string? Value(Group group) => group.Success ? group.Value : null;
    }

    // Nothing may follow a study or a series but what PS3.18 10.4 and 10.5 name, so that no deeper resource is read under their permission.
    [GeneratedRegex(@"^/dicom-web/studies/(?<study>[0-9][0-9.]{0,63})(/(metadata|rendered|thumbnail)|/series/(?<series>[0-9][0-9.]{0,63})(/(metadata|rendered|thumbnail)|/instances/(?<instance>[0-9][0-9.]{0,63})(/.*)?)?)?/?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Read();
}
