using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace PluginHost.Serving.Http;

/// <summary>Server-sent events whose data is JSON, as OpenAI streams them.</summary>
/// <param name="context">The request.</param>
/// <param name="stall">How long an event may wait for its reader; after that the connection is cut, and the answer with it.</param>
internal sealed class EventStream(HttpContext context, TimeSpan stall)
{
    private Utf8JsonWriter? json;
    private bool begun;
    private bool stalled;

    /// <summary>Whether an error is an event: something has been sent, and somebody still reads.</summary>
    public bool CanFail => begun && !stalled && !context.RequestAborted.IsCancellationRequested;

    /// <summary>Sends an event; waits for a reader that is slower than the answer.</summary>
    public async Task SendAsync(Action<Utf8JsonWriter> write)
    {
        Begin();
        var pipe = context.Response.BodyWriter;
        pipe.Write("data: "u8);
        if (json is null) json = new Utf8JsonWriter(pipe, ApiJson.Writing);
        else json.Reset(pipe);
        write(json);
        json.Flush();
        pipe.Write("\n\n"u8);
        await FlushAsync();
    }

    /// <summary>Ends a stream that came to its end.</summary>
    public async Task EndAsync()
    {
        Begin();
        context.Response.BodyWriter.Write("data: [DONE]\n\n"u8);
        await FlushAsync();
    }

    /// <summary>Ends a stream that failed: an event <c>error</c>, and nothing that looks like an end.</summary>
    public async Task FailAsync(ApiError error)
    {
        context.Response.BodyWriter.Write("event: error\n"u8);
        await SendAsync(error.WriteTo);
    }

    private async ValueTask FlushAsync()
    {
        var flush = context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        if (flush.IsCompletedSuccessfully)
        {
            _ = flush.Result; // nearly always: the buffers have room
            return;
        }
        try
        {
            await flush.AsTask().WaitAsync(stall);
        }
        catch (TimeoutException)
        {
            stalled = true;
            context.Abort();
            throw new OperationCanceledException($"an event was not read within {stall.TotalSeconds:0.#} s (server.stallTimeout)");
        }
    }

    private void Begin()
    {
        if (begun) return;
        begun = true;
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers["X-Accel-Buffering"] = "no"; // proxies would hold events back
    }
}
