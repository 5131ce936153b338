using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace PluginHost.Serving.Tests.Http.Media;

/// <summary>A host that media are fetched from, on a free port of this machine. It counts who comes.</summary>
internal sealed class Origin : IAsyncDisposable
{
    private readonly WebApplication app;
    private int visits;

    private Origin(WebApplication app) => this.app = app;

    public int Port => new Uri(app.Urls.First()).Port;

    public int Visits => Volatile.Read(ref visits);

    public static async Task<Origin> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var origin = new Origin(app);
        app.Use((context, next) =>
        {
            Interlocked.Increment(ref origin.visits);
            return next(context);
        });
        app.MapGet("/a.png", context => SendAsync(context, new byte[5]));
        app.MapGet("/none.png", context => SendAsync(context, []));
        app.MapGet("/page", context => SendAsync(context, new byte[5], "text/html"));
        app.MapGet("/large.png", context => SendAsync(context, new byte[3 << 20]));
        app.MapGet("/endless.png", EndlessAsync);
        app.MapGet("/silent.png", context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        app.MapGet("/elsewhere.png", context =>
        {
            context.Response.Redirect("/a.png");
            return Task.CompletedTask;
        });
        await app.StartAsync();
        return origin;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private static async Task SendAsync(HttpContext context, byte[] bytes, string type = "image/png")
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    private static async Task EndlessAsync(HttpContext context)
    {
        context.Response.ContentType = "image/png";
        while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(new byte[1 << 16], context.RequestAborted);
    }
}
