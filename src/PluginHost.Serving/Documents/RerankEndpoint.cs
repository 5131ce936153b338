using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Sdk;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Documents;

/// <summary><c>POST /v1/rerank</c> in the shape that Cohere, Jina and vLLM share. A relevance score is the reranker's own: comparable within an answer.</summary>
internal sealed class RerankEndpoint(DocumentHost documents, ServerConfig server)
{
    private const int MostDocuments = 1000;
    private const int LongestQuery = 8192;

    /// <summary>Maps the route.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/rerank", (Delegate)AnswerAsync).WithSummary("Puts documents in the order in which they answer a query");

    private async Task AnswerAsync(HttpContext context)
    {
        var errors = new List<ConfigError>();
        var reader = new JsonObjectReader(await ApiJson.ReadAsync(context, server.MaxBodyBytes), "a rerank request", errors);
        var model = reader.Text("model");
        var query = reader.RequiredText("query");
        var texts = Documents(reader, errors);
        var count = (int)reader.Integer("top_n", Math.Max(1, texts.Count), 1, 1_000_000);
        var whole = reader.Flag("return_documents", false);
        if (query?.Length > LongestQuery) errors.Add(new ConfigError(reader.Value("query")!.Location, $"the query has {query.Length} characters; {LongestQuery} are the most"));
        reader.End();
        if (errors.Count > 0) throw new ConfigException(errors);
        var (reranker, name) = Configured(model);

        var found = texts.Select((text, index) => new FoundChunk("", index, text, "", 0)).ToList();
        var ranked = await Task.Run(() => reranker.Rerank(query!, found), context.RequestAborted);
        await ApiJson.WriteAsync(context, writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("id", $"rerank-{Guid.NewGuid():N}");
            writer.WriteString("object", "list");
            writer.WriteString("model", name);
            writer.WriteStartArray("results");
            foreach (var chunk in ranked.Take(count))
            {
                writer.WriteStartObject();
                writer.WriteNumber("index", chunk.Number);
                writer.WriteNumber("relevance_score", chunk.Score);
                if (whole)
                {
                    writer.WriteStartObject("document");
                    writer.WriteString("text", texts[chunk.Number]);
                    writer.WriteEndObject();
                }
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    private (IReranker, string) Configured(string? model)
    {
        if (!documents.Searches || documents.Engine is not { Reranker: { } reranker, RerankerName: { } name })
            throw new ApiException(ApiError.Missing("this server reranks nothing: name a plugin of kind 'reranker' as \"reranker\" in a retrieval file, train it with 'pluginhost retrieve build FILE', and name that file as server.retrieval in the host file", "model", "reranker_not_configured"));
        return model is null || model == name ? (reranker, name) : throw new ApiException(ApiError.Missing($"there is no reranker '{model}'; this server has '{name}'", "model", "model_not_found"));
    }

    private static List<string> Documents(JsonObjectReader body, List<ConfigError> errors)
    {
        if (body.Required("documents") is not { } node) return [];
        var items = body.Items("documents") ?? [];
        if (node.Kind == JsonKind.Array && items.Count is 0 or > MostDocuments) errors.Add(new ConfigError(node.Location, $"there are {items.Count} documents; send 1 to {MostDocuments}"));
        var texts = new List<string>();
        foreach (var item in items.Take(MostDocuments))
        {
            var text = item.Kind == JsonKind.Object ? item.Find("text") : item;
            if (text is not { Kind: JsonKind.String }) errors.Add(new ConfigError(item.Location, $"a document is a text, or an object with 'text', not {JsonObjectReader.Describe(item)}"));
            else texts.Add(text.Text);
        }
        return texts;
    }
}
