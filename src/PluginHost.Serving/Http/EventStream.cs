using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace PluginHost.Serving.Http;

/// <summary>Server-sent events whose data is JSON, as OpenAI streams them.</summary>
internal sealed class EventStream(HttpContext context)
{
    /// <summary>Whether anything has been sent: from then on an error is an event.</summary>
    public bool Begun { get; private set; }

    /// <summary>Sends an event; waits for a reader that is slower than the answer.</summary>
    public async Task SendAsync(Action<Utf8JsonWriter> write)
    {
        Begin();
        var pipe = context.Response.BodyWriter;
        pipe.Write("data: "u8);
        using (var writer = new Utf8JsonWriter(pipe, ApiJson.Writing)) write(writer);
        pipe.Write("\n\n"u8);
        await pipe.FlushAsync(context.RequestAborted);
    }

    /// <summary>Ends a stream that came to its end.</summary>
    public async Task EndAsync()
    {
        Begin();
        context.Response.BodyWriter.Write("data: [DONE]\n\n"u8);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>Ends a stream that failed: an event <c>error</c>, and nothing that looks like an end.</summary>
    public async Task FailAsync(ApiError error)
    {
        context.Response.BodyWriter.Write("event: error\n"u8);
        await SendAsync(error.WriteTo);
    }

    private void Begin()
    {
        if (Begun) return;
        Begun = true;
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers["X-Accel-Buffering"] = "no"; // proxies would hold events back
    }
}
