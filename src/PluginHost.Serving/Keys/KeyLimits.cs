using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using PluginHost.Config;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Keys;

/// <summary>Who may ask what, and how often. Keys are not asked for while the server can be reached from its own machine alone and has none.</summary>
/// <param name="keys">The keys.</param>
/// <param name="server">How often a key may ask.</param>
/// <param name="local">Whether the server listens on loopback addresses alone.</param>
internal sealed class KeyLimits(ApiKeys keys, ServerConfig server, bool local) : IDisposable
{
    // A changed rate begins a bucket of its own.
    private readonly PartitionedRateLimiter<(string Name, int PerMinute)> limiter = PartitionedRateLimiter.Create<(string Name, int PerMinute), (string Name, int PerMinute)>(caller => caller.PerMinute == 0
        ? RateLimitPartition.GetNoLimiter(caller)
        : RateLimitPartition.GetTokenBucketLimiter(caller, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = caller.PerMinute,
            TokensPerPeriod = 1,
            ReplenishmentPeriod = TimeSpan.FromMinutes(1) / caller.PerMinute,
            QueueLimit = 0,
        }));

    /// <summary>Requests that a key may send in a minute; 0: as many as it likes.</summary>
    public int PerMinute { get; set; } = server.RequestsPerMinute;

    /// <summary>Lets a request pass.</summary>
    /// <param name="context">The request.</param>
    /// <param name="admin">Whether it needs a key that opens the admin routes.</param>
    /// <exception cref="ApiException">It may not.</exception>
    public void Check(HttpContext context, bool admin)
    {
        var name = "";
        if (!local || keys.All.Count > 0)
        {
            var key = Shown(context) is { } secret ? keys.Find(secret) : null;
            if (key is null) throw new ApiException(new ApiError(StatusCodes.Status401Unauthorized, "authentication_error", "this server asks for a key: send 'Authorization: Bearer ...' with one that 'pluginhost keys create' has made", null, "invalid_api_key"));
            if (admin && !key.Admin) throw new ApiException(new ApiError(StatusCodes.Status403Forbidden, "permission_error", $"the key '{key.Name}' does not open the admin routes; 'pluginhost keys create NAME --admin' makes one that does", null, "insufficient_permissions"));
            name = key.Name;
        }
        var perMinute = PerMinute;
        using var lease = limiter.AttemptAcquire((name, perMinute));
        if (lease.IsAcquired) return;
        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? (int)Math.Ceiling(after.TotalSeconds) : 1;
        throw new ApiException(new ApiError(StatusCodes.Status429TooManyRequests, "rate_limit_error", $"{perMinute} requests a minute are the most that a key may send (server.requestsPerMinute)", null, "rate_limit_exceeded", Math.Max(1, wait)));
    }

    public void Dispose() => limiter.Dispose();

    private static string? Shown(HttpContext context)
    {
        const string scheme = "Bearer ";
        var header = context.Request.Headers.Authorization.ToString();
        return header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? header[scheme.Length..].Trim() : null;
    }
}
