// Pages and APIs of listed hosts, to be read. The connection is the host's, which reaches public addresses and those that its owner allows, and follows no redirects.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Tool.Http;

/// <summary>Settings of <see cref="HttpTool"/>.</summary>
/// <param name="Hosts">Hosts that may be asked.</param>
/// <param name="MaxBytes">Bytes of an answer that are read.</param>
public sealed record HttpOptions(
    [property: Description("Hosts that may be asked: name, at its scheme's own port, or name:port.")] string[]? Hosts = null,
    [property: Range(256, 1 << 20), Description("Bytes of an answer that are read at most; the rest is cut.")] int MaxBytes = 65536);

/// <summary>Reads addresses of listed hosts.</summary>
[Plugin("tool.http", "Reads what is at an address of one of the listed hosts.")]
public sealed class HttpTool(HttpOptions options) : IToolPlugin
{
    /// <inheritdoc/>
    public IReadOnlyList<ToolFunction> Open(ToolContext context)
    {
        if (options.Hosts is not { Length: > 0 } hosts) throw new UserErrorException("tool.http: 'hosts' is empty, so nothing could be asked; list the hosts that may be");
        return [new Function(context.Http, hosts, options.MaxBytes)];
    }

    private sealed class Function(HttpClient http, string[] hosts, int most) : ToolFunction("http", $"Reads the text at an address (GET). Hosts: {string.Join(", ", hosts)}.", """
        {
          "type": "object",
          "properties": { "url": { "type": "string", "minLength": 8, "maxLength": 2000, "description": "The address, beginning with https:// or http://" } },
          "required": ["url"],
          "additionalProperties": false
        }
        """)
    {
        protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            var text = Text(arguments, "url") ?? "";
            if (text.Contains('\\', StringComparison.Ordinal) || !Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")) throw new UserErrorException($"'{text}' is no address that begins with https:// or http://");
            var name = address.IsDefaultPort ? address.IdnHost : $"{address.IdnHost}:{address.Port}";
            if (!hosts.Contains(name, StringComparer.OrdinalIgnoreCase)) throw new UserErrorException($"'{name}' may not be asked; hosts that may: {string.Join(", ", hosts)}");
            using var response = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode) throw new UserErrorException($"{name} answers {(int)response.StatusCode} {response.ReasonPhrase}");
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var bytes = new byte[most + 1];
            var count = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            if (bytes.AsSpan(0, count).Contains((byte)0)) throw new UserErrorException($"{address} is no text ({response.Content.Headers.ContentType?.MediaType ?? "of no type"})");
            return count > most ? Encoding.UTF8.GetString(bytes, 0, most) + "\n[the rest is cut]" : Encoding.UTF8.GetString(bytes, 0, count);
        }
    }
}
