using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace PluginHost.Bench;

/// <summary>Asks a server for streams as a caller does, and looks at the clock.</summary>
internal sealed class ServeClient(Uri address, string model, int vocabulary) : IDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 4096, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5) }) { BaseAddress = address, Timeout = TimeSpan.FromMinutes(10) };
    private int asked;

    /// <summary>Sends one request; no two have the same prompt.</summary>
    /// <param name="prompt">Tokens of the prompt.</param>
    /// <param name="tokens">Most tokens of the answer.</param>
    /// <param name="leaveAfter">Events after which the caller goes away; null: it stays.</param>
    /// <param name="cancellation">Ends the measuring.</param>
    public async Task<ServedStream> AskAsync(int prompt, int tokens, int? leaveAfter = null, CancellationToken cancellation = default)
    {
        var number = Interlocked.Increment(ref asked);
        var ids = string.Join(',', Enumerable.Range(0, prompt).Select(i => 7 + (number * 31 + i * 17) % (vocabulary - 7)));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent(
                $$$"""{"model":"{{{model}}}","prompt":[{{{ids}}}],"max_tokens":{{{tokens}}},"temperature":0,"stream":true,"stream_options":{"include_usage":true}}""",
                Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
        };
        var began = Stopwatch.GetTimestamp();
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (response.StatusCode != HttpStatusCode.OK) return new ServedStream((int)response.StatusCode, TimeSpan.Zero, 0, false);
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            return await ReadAsync(stream, began, leaveAfter, cancellation);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return new ServedStream(0, TimeSpan.Zero, 0, false);
        }
    }

    public void Dispose() => http.Dispose();

    // A token may bring no event, while a character is incomplete: how many there were, the last event says.
    private static async Task<ServedStream> ReadAsync(Stream stream, long began, int? leaveAfter, CancellationToken cancellation)
    {
        var (buffer, kept, events, tokens, first, ended) = (new byte[16384], 0, 0, 0, TimeSpan.Zero, false);
        while (await stream.ReadAsync(buffer.AsMemory(kept), cancellation) is var read and > 0)
        {
            if (events == 0) first = Stopwatch.GetElapsedTime(began);
            var text = buffer.AsSpan(0, kept + read);
            while (text.IndexOf("\n\n"u8) is var end and >= 0)
            {
                var data = text[..end];
                if (data.StartsWith("data: {"u8)) events++;
                if (data.IndexOf("\"completion_tokens\":"u8) is var at and >= 0 && Utf8Parser.TryParse(data[(at + "\"completion_tokens\":"u8.Length)..], out int said, out _)) tokens = said;
                ended |= data.StartsWith("data: [DONE]"u8);
                text = text[(end + 2)..];
            }
            kept = text.Length;
            text.CopyTo(buffer);
            if (events >= leaveAfter) return new ServedStream(200, first, events, true);
        }
        return new ServedStream(ended ? 200 : 0, first, tokens, ended);
    }
}

/// <summary>How a request went.</summary>
/// <param name="Status">The HTTP status; 0: the stream broke off.</param>
/// <param name="FirstToken">How long the first token took.</param>
/// <param name="Tokens">Tokens that came.</param>
/// <param name="Whole">Whether it came to its end, or the caller left.</param>
internal sealed record ServedStream(int Status, TimeSpan FirstToken, int Tokens, bool Whole);
