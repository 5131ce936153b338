using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Serving.Dashboard;
using PluginHost.Serving.Http;
using PluginHost.Serving.Http.Media;
using PluginHost.Serving.Keys;
using PluginHost.Serving.Models;
using PluginHost.Serving.Telemetry;

namespace PluginHost.Serving;

/// <summary>The HTTP server: OpenAI's routes over served models.</summary>
public static class ServingHost
{
    private static readonly ApiError Late = new(StatusCodes.Status504GatewayTimeout, "server_error", "the request took too long (server.requestTimeout)", null, "timeout");

    private const string LoadRoute = "/v1/models/{id}/load";
    private const string UnloadRoute = "/v1/models/{id}/unload";

    // Bytes a second that a body must come with, once a caller's time to stall is over; Kestrel's own default.
    private const double SlowestBody = 240;

    /// <summary>Builds the server; nothing listens yet.</summary>
    /// <param name="server">Where it listens and what it allows.</param>
    /// <param name="models">What it serves.</param>
    /// <param name="configure">Adds services; null: none.</param>
    /// <param name="map">Adds routes; null: none.</param>
    /// <param name="readAgain">Reads the configuration when a reload is asked for; null: it never changes.</param>
    /// <exception cref="UserErrorException">It would listen beyond this machine without a key.</exception>
    public static WebApplication Build(ServerConfig server, IReadOnlyList<IServedModel> models, Action<WebApplicationBuilder>? configure = null, Action<IEndpointRouteBuilder>? map = null, Func<ServerConfig>? readAgain = null)
    {
        var keys = new ApiKeys(server.Keys);
        var local = server.Urls.All(IsLocal);
        if (!local && keys.All.Count == 0)
            throw new UserErrorException($"{server.Urls.First(url => !IsLocal(url))} can be reached from other machines, and there is no key in {server.Keys}: make one with 'pluginhost keys create NAME', or listen at 127.0.0.1");

        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = server.MaxBodyBytes;
            kestrel.Limits.RequestHeadersTimeout = server.StallTimeout;
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(SlowestBody, server.StallTimeout);
            if (server.Certificate is { } certificate)
                kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(certificate.Path, certificate.Key));
        });
        builder.WebHost.UseUrls([.. server.Urls]);
        builder.Services.AddSingleton(server).AddSingleton(keys).AddSingleton(new ModelDirectory(models)).AddSingleton<ServingState>()
            .AddSingleton(_ => new KeyLimits(keys, server, local)).AddSingleton(new MediaFetching { Hosts = server.MediaHosts, MaxBytes = server.MaxBodyBytes }).AddSingleton<IMediaFetcher, MediaFetcher>().AddSingleton<RequestMedia>()
            .AddSingleton(services => new ServerReload(server, readAgain ?? (() => server), keys, services.GetRequiredService<KeyLimits>(), services.GetRequiredService<MediaFetching>()))
            .AddSingleton<ChatEndpoint>().AddSingleton<CompletionEndpoint>().AddSingleton<EmbeddingEndpoint>().AddSingleton<TokenEndpoints>().AddSingleton<ModelEndpoints>().AddSingleton<HealthEndpoints>().AddSingleton<AdminEndpoints>().AddSingleton<GraphEndpoints>();
        builder.Services.AddRequestDecompression().AddOpenApi().AddRequestTimeouts(timeouts => timeouts.DefaultPolicy = new() { Timeout = server.RequestTimeout, WriteTimeoutResponse = Late.WriteAsync });
        builder.Services.AddTelemetry(server);
        configure?.Invoke(builder);

        var app = builder.Build();
        app.Use(HandleAsync);
        app.UseRouting();
        app.UseRequestTimeouts();
        app.UseRequestDecompression();
        app.Use((context, next) => AdmitAsync(context, next, local));
        Map(app);
        DashboardEndpoints.Map(app);
        app.Services.GetRequiredService<GraphEndpoints>().Map(app);
        map?.Invoke(app);
        app.Services.GetRequiredService<ServingMeter>(); // its gauges are there before the first answer
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.MapOpenApi("/openapi.json");
        return app;
    }

    private static void Map(IEndpointRouteBuilder routes)
    {
        T The<T>() where T : notnull => routes.ServiceProvider.GetRequiredService<T>();
        // As a delegate like any other: a RequestDelegate is not described in /openapi.json.
        void Post(string path, Func<HttpContext, Task> handle, string summary) => routes.MapPost(path, (Delegate)handle).WithSummary(summary);
        void Get(string path, Func<HttpContext, Task> handle, string summary) => routes.MapGet(path, (Delegate)handle).WithSummary(summary);
        Post("/v1/chat/completions", The<ChatEndpoint>().AnswerAsync, "Answers a conversation, whole or as a stream of events");
        Post("/v1/completions", The<CompletionEndpoint>().AnswerAsync, "Continues texts");
        Post("/v1/embeddings", The<EmbeddingEndpoint>().AnswerAsync, "Embeds texts, pictures and sounds");
        Post("/v1/tokenize", The<TokenEndpoints>().TokenizeAsync, "The tokens of a text");
        Post("/v1/detokenize", The<TokenEndpoints>().DetokenizeAsync, "The text of tokens");
        Get("/v1/models", The<ModelEndpoints>().ListAsync, "The models that are served");
        Get("/v1/models/{id}", The<ModelEndpoints>().ShowAsync, "One model");
        Post(LoadRoute, The<ModelEndpoints>().LoadAsync, "Loads a model (admin)");
        Post(UnloadRoute, The<ModelEndpoints>().UnloadAsync, "Unloads a model (admin)");
        Get("/health/live", The<HealthEndpoints>().LiveAsync, "Whether the process answers");
        Get("/health/ready", The<HealthEndpoints>().ReadyAsync, "Whether requests are taken");
        Get("/admin/plugins", The<AdminEndpoints>().ListPluginsAsync, "The plugins of a model (admin)");
        Post("/admin/plugins/{id}/{command}", The<AdminEndpoints>().ChangePluginAsync, "Swaps, quarantines, restores or drains a plugin (admin)");
        Post("/admin/config/reload", The<AdminEndpoints>().ReloadAsync, "Reads the keys and the host file again (admin)");
        Post("/admin/drain", The<AdminEndpoints>().DrainAsync, "Refuses new requests (admin)");
        Post("/admin/resume", The<AdminEndpoints>().ResumeAsync, "Takes requests again (admin)");
    }

    // Whatever goes wrong is answered in one shape; once an answer has begun, the connection can only be cut.
    private static async Task HandleAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
            if (context.Response.HasStarted) return;
            if (context.Response.StatusCode == StatusCodes.Status404NotFound)
                await ApiError.Missing($"there is nothing at {context.Request.Path}; /openapi.json lists what there is").WriteAsync(context);
            else if (context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed)
                await new ApiError(StatusCodes.Status405MethodNotAllowed, ApiError.InvalidRequest, $"{context.Request.Path} does not take {context.Request.Method}; it takes {context.Response.Headers.Allow}").WriteAsync(context);
        }
        catch (Exception error)
        {
            var answer = ApiError.Of(error);
            if (answer.Status == StatusCodes.Status500InternalServerError)
                context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ServingHost)).LogError(error, "{Method} {Path} failed", context.Request.Method, context.Request.Path);
            if (context.Response.HasStarted) context.Abort();
            else await answer.WriteAsync(context);
        }
    }

    private static async Task AdmitAsync(HttpContext context, RequestDelegate next, bool local)
    {
        var path = context.Request.Path;
        if (path.StartsWithSegments("/health"))
        {
            await next(context);
            return;
        }
        // A page in a browser on this machine may send requests here under a name of its own; where a key is asked for, it has none.
        if (local && context.RequestServices.GetRequiredService<ApiKeys>().All.Count == 0 && !IsLocalName(context.Request.Host.Host))
            throw new ApiException(new ApiError(StatusCodes.Status421MisdirectedRequest, ApiError.InvalidRequest, $"this server is not '{context.Request.Host.Host}'; it answers to localhost"));
        if (DashboardEndpoints.Asks(context.Request))
        {
            await next(context);
            return;
        }
        var admin = path.StartsWithSegments("/admin") || context.GetEndpoint() is RouteEndpoint { RoutePattern.RawText: LoadRoute or UnloadRoute } || context.GetEndpoint()?.Metadata.GetMetadata<AdminRoute>() is not null;
        context.RequestServices.GetRequiredService<KeyLimits>().Check(context, admin);
        var state = context.RequestServices.GetRequiredService<ServingState>();
        var protocol = path.StartsWithSegments("/mcp");
        if (state.Draining && (protocol || path.StartsWithSegments("/v1"))) throw new ApiException(ApiError.Unavailable("the server is stopping and takes no new requests", "draining", 5));
        // A stream of notifications has no end of its own that anybody could wait for.
        using var _ = protocol && HttpMethods.IsGet(context.Request.Method) ? null : state.Enter();
        await next(context);
    }

    private static bool IsLocal(string url) => Uri.TryCreate(url, UriKind.Absolute, out var parsed) && IsLocalName(parsed.Host);

    private static bool IsLocalName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
