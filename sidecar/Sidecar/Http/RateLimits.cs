using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace Sidecar.Http;

/// <summary>
/// A user's changes come at most so fast: a program run wild must not fill the queue or the audit. Reading is not limited here, as a viewer asks for
/// thousands of images at once.
/// </summary>
internal static class RateLimits
{
    public static void AddRateLimits(this IServiceCollection services)
    {
        services.AddRateLimiter(_ => { });
        services.AddOptions<RateLimiterOptions>().Configure<IOptions<RateLimitOptions>>((limiter, options) =>
        {
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
                context.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal) && !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method)
                    ? RateLimitPartition.GetTokenBucketLimiter(Caller(context), _ => Bucket(options.Value))
                    : RateLimitPartition.GetNoLimiter(""));
            limiter.OnRejected = async (rejected, token) =>
            {
                rejected.HttpContext.Response.Headers.RetryAfter = "1";
                await Problems.Of(
                    429,
                    "too-many-requests",
                    "Too many requests",
                    string.Create(CultureInfo.InvariantCulture, $"You asked for more than {options.Value.PerSecond} changes a second for a while. Nothing was changed by this request; wait a second and send it again."))
                    .ExecuteAsync(rejected.HttpContext);
            };
        });
    }

    // Who has no valid token shares one bucket with all others from the same address.
    private static string Caller(HttpContext context) =>
        context.User.Identity?.IsAuthenticated == true ? $"subject {context.User.Subject()}" : $"address {context.Connection.RemoteIpAddress}";

    private static TokenBucketRateLimiterOptions Bucket(RateLimitOptions options) => new()
    {
        TokenLimit = options.Burst,
        TokensPerPeriod = options.PerSecond,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        QueueLimit = 0,
    };
}
