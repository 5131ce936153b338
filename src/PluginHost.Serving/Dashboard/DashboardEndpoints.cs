using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Dashboard;

/// <summary>
/// The page at <c>/</c>. It is made of files in this assembly and does all that it does by the server's other routes, with the caller's key: it can do nothing that they could not.
/// </summary>
internal static class DashboardEndpoints
{
    private const string Folder = "/dashboard";

    // Nothing that a page shows can make it speak to another host.
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly string Tag = $"\"{typeof(DashboardEndpoints).Module.ModuleVersionId:N}\"";

    private static readonly Dictionary<string, string> Types = new() { [".html"] = "text/html; charset=utf-8", [".js"] = "text/javascript; charset=utf-8", [".css"] = "text/css; charset=utf-8" };

    /// <summary>Whether a request asks for the page or a part of it; anybody may have those.</summary>
    public static bool Asks(HttpRequest request) => request.Path == "/" || request.Path.StartsWithSegments(Folder);

    /// <summary>Maps the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", (HttpContext context) => SendAsync(context, "index.html")).WithSummary("The dashboard");
        routes.MapGet(Folder + "/{**file}", (HttpContext context, string file) => SendAsync(context, file)).WithSummary("A file of the dashboard");
    }

    private static async Task SendAsync(HttpContext context, string file)
    {
        var stream = typeof(DashboardEndpoints).Assembly.GetManifestResourceStream($"dashboard/{file}");
        if (stream is null || !Types.TryGetValue(Path.GetExtension(file), out var type)) throw new ApiException(ApiError.Missing($"the dashboard has no file '{file}'"));
        await using var content = stream;
        var (request, response) = (context.Request, context.Response);
        (response.Headers.ETag, response.Headers.CacheControl, response.Headers.XContentTypeOptions, response.Headers.ContentSecurityPolicy) = (Tag, "no-cache", "nosniff", Policy);
        if (request.Headers.IfNoneMatch == Tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        (response.ContentType, response.ContentLength) = (type, content.Length);
        await content.CopyToAsync(response.Body, context.RequestAborted);
    }
}
