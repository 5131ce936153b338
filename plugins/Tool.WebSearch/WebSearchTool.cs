// Search as a tool, by any service that answers a GET with JSON: where it is and what its fields are called is configuration.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Tool.WebSearch;

/// <summary>Settings of <see cref="WebSearchTool"/>.</summary>
/// <param name="Url">The service's address, with places for the query.</param>
/// <param name="Results">Where the results are in its answer.</param>
/// <param name="Title">A result's title.</param>
/// <param name="Link">A result's address.</param>
/// <param name="Snippet">A result's text.</param>
/// <param name="MaxBytes">Bytes of an answer that are read.</param>
public sealed record WebSearchOptions(
    [property: Description("The address of a search, with {query} and, if it has it, {limit}: https://search.example/search?format=json&q={query}.")] string? Url = null,
    [property: Description("Where the list of results is in the answer: names of keys with dots between them.")] string Results = "results",
    [property: Description("The key of a result's title.")] string Title = "title",
    [property: Description("The key of a result's address.")] string Link = "url",
    [property: Description("The key of a result's text.")] string Snippet = "content",
    [property: Range(1024, 8 << 20), Description("Bytes of an answer at most; a longer one is refused.")] int MaxBytes = 1 << 20);

/// <summary>Searches by a service.</summary>
[Plugin("tool.web-search", "Searches by any service that answers with JSON.")]
public sealed class WebSearchTool(WebSearchOptions options) : IToolPlugin
{
    private const string Query = "{query}";
    private const int LongestSnippet = 500; // characters

    /// <inheritdoc/>
    public IReadOnlyList<ToolFunction> Open(ToolContext context)
    {
        if (options.Url is not { } url) throw new UserErrorException("tool.web-search: 'url' names the address of a search, such as https://search.example/search?format=json&q={query}");
        if (!url.Contains(Query, StringComparison.Ordinal)) throw new UserErrorException($"tool.web-search: 'url' has no place for the query; write {Query} where it goes");
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")) throw new UserErrorException("tool.web-search: 'url' is an address that begins with https:// or http://");
        return [new Function(context.Http, url, options)];
    }

    private sealed class Function(HttpClient http, string url, WebSearchOptions options) : ToolFunction("web-search", "Searches the web and gives titles, addresses and short texts.", """
        {
          "type": "object",
          "properties": {
            "query": { "type": "string", "minLength": 1, "maxLength": 500, "description": "What to look for" },
            "limit": { "type": "integer", "minimum": 1, "maximum": 20, "default": 5, "description": "Results at most" }
          },
          "required": ["query"],
          "additionalProperties": false
        }
        """)
    {
        protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            var limit = Argument(arguments, "limit")?.GetInt32() ?? 5;
            var address = url.Replace(Query, Uri.EscapeDataString(Text(arguments, "query") ?? ""), StringComparison.Ordinal)
                .Replace("{limit}", limit.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
            using var response = await http.GetAsync(new Uri(address), HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            response.EnsureSuccessStatusCode();
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var bytes = new byte[options.MaxBytes + 1];
            var count = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            if (count > options.MaxBytes) throw new UserErrorException($"the search service answered with more than {options.MaxBytes} bytes; ask for fewer results");
            return Read(bytes.AsMemory(0, count), limit);
        }

        private JsonArray Read(ReadOnlyMemory<byte> answer, int limit)
        {
            try
            {
                using var json = JsonDocument.Parse(answer);
                var results = json.RootElement;
                foreach (var name in options.Results.Split('.', StringSplitOptions.RemoveEmptyEntries)) results = results.GetProperty(name);
                return new JsonArray([.. results.EnumerateArray().Take(limit).Select(result => (JsonNode)new JsonObject
                {
                    ["title"] = Field(result, options.Title),
                    ["url"] = Field(result, options.Link),
                    ["snippet"] = Field(result, options.Snippet),
                })]);
            }
            catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
            {
                throw new UserErrorException($"the search service's answer has no list at '{options.Results}' (setting 'results')");
            }
        }

        private static string Field(JsonElement result, string name)
        {
            var text = result.TryGetProperty(name, out var value) ? value.ToString() : "";
            return text.Length > LongestSnippet ? text[..LongestSnippet] + "…" : text;
        }
    }
}
