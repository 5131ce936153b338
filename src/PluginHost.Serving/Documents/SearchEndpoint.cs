using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.AI;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Sdk;
using PluginHost.Serving.Http;
using PluginHost.Serving.Http.Media;

namespace PluginHost.Serving.Documents;

/// <summary><c>POST /v1/vector_stores/{id}/search</c> in OpenAI's shape; a query may also be a picture, as part of a message is written. A score is the retriever's own, or the reranker's; several queries are searched each by itself, and a passage has its best score.</summary>
internal sealed class SearchEndpoint(DocumentHost documents, ServerConfig server, RequestMedia media)
{
    private const int MostResults = 1000;
    private const int MostQueries = 16;
    private const int LongestQuery = 8192;

    /// <summary>Maps the route.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/vector_stores/{id}/search", (Delegate)AnswerAsync).WithSummary("The passages of a vector store that answer a query");

    private async Task AnswerAsync(HttpContext context)
    {
        var store = VectorStoreEndpoints.Find(documents, (string)context.Request.RouteValues["id"]!);
        var errors = new List<ConfigError>();
        var reader = new JsonObjectReader(await ApiJson.ReadAsync(context, server.MaxBodyBytes), "a search", errors);
        var queries = Queries(reader, errors);
        var count = (int)reader.Integer("max_num_results", 10, 1, MostResults);
        var filter = reader.Value("filters") is { } node ? AttributeFilter.Read(node, errors) : null;
        var (rerank, threshold) = Ranking(reader, errors);
        if (reader.Flag("rewrite_query", false)) errors.Add(new ConfigError(reader.Value("rewrite_query")!.Location, "queries are not rewritten here; leave 'rewrite_query' out"));
        reader.End();
        if (errors.Count > 0) throw new ConfigException(errors);

        await media.FetchAsync(queries, "query", context.RequestAborted);
        // Searching is work for the processor, and the caller's turn on this thread would be everybody's.
        var found = await Task.Run(() => queries.SelectMany((query, i) => Find(store.Id, query, $"query[{i}]", count, filter, rerank)).ToList(), context.RequestAborted);
        var best = found.GroupBy(item => (item.Chunk.Document, item.Chunk.Number)).Select(same => same.MaxBy(item => item.Chunk.Score)!);
        if (queries.Count > 1) best = best.OrderByDescending(item => item.Chunk.Score);
        var shown = best.Where(item => threshold is null || item.Chunk.Score >= threshold).Take(count).ToList();
        await ApiJson.WriteAsync(context, writer => Write(writer, queries, shown));
    }

    private IReadOnlyList<FoundPassage> Find(string store, AIContent query, string place, int count, AttributeFilter? filter, bool rerank)
    {
        var search = new PassageSearch(documents);
        if (query is TextContent text) return search.Find(store, text.Text, count, filter, rerank);
        var engine = documents.Engine;
        if (engine.Towers is not { ReadsPictures: true } towers)
            throw new ApiException(ApiError.Invalid($"no picture can be searched for: {engine.Reason ?? $"the towers of {engine.Encoder} read texts alone"}; name a retrieval file whose 'encoder' has texts and pictures in one space in server.retrieval", place));
        try
        {
            return search.FindNear(store, towers.Queries([query])[0], count, filter);
        }
        catch (Exception error) when (error is UserErrorException or BadSampleException)
        {
            throw new ApiException(ApiError.Invalid(error.Message, place));
        }
    }

    private static void Write(Utf8JsonWriter writer, IReadOnlyList<AIContent> queries, IReadOnlyList<FoundPassage> found)
    {
        writer.WriteStartObject();
        writer.WriteString("object", "vector_store.search_results.page");
        writer.WriteStartArray("search_query");
        foreach (var query in queries) writer.WriteStringValue(query is TextContent text ? text.Text : "<image>");
        writer.WriteEndArray();
        writer.WriteStartArray("data");
        foreach (var (file, chunk) in found)
        {
            writer.WriteStartObject();
            writer.WriteString("file_id", file.File);
            writer.WriteString("filename", file.Name);
            writer.WriteNumber("score", chunk.Score);
            writer.WritePropertyName("attributes");
            writer.WriteRawValue(file.Attributes);
            writer.WriteStartArray("content");
            writer.WriteStartObject();
            writer.WriteString("type", "text");
            writer.WriteString("text", chunk.Text);
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteNumber("chunk", chunk.Number);
            writer.WriteString("place", chunk.Place);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteBoolean("has_more", false);
        writer.WriteNull("next_page");
        writer.WriteEndObject();
    }

    private static List<AIContent> Queries(JsonObjectReader reader, List<ConfigError> errors)
    {
        if (reader.Required("query") is not { } node) return [];
        IReadOnlyList<JsonElementNode> items = node.Kind == JsonKind.Array ? node.Items : [node];
        if (items.Count is 0 or > MostQueries) errors.Add(new ConfigError(node.Location, $"there are {items.Count} queries; send 1 to {MostQueries}"));
        if (items.Any(item => item.Kind == JsonKind.Object) && items.Any(item => item.Kind == JsonKind.String))
            errors.Add(new ConfigError(node.Location, "scores of words and of pictures do not compare: send a request for each"));
        return [.. items.Take(MostQueries).Select(item => Query(item, errors)).OfType<AIContent>()];
    }

    private static AIContent? Query(JsonElementNode item, List<ConfigError> errors)
    {
        if (item.Kind == JsonKind.String && !string.IsNullOrWhiteSpace(item.Text) && item.Text.Length <= LongestQuery) return new TextContent(item.Text);
        if (item.Kind == JsonKind.Object && item.Find("type") is { Kind: JsonKind.String, Text: "image_url" }) return MessageReader.Part(item, errors);
        errors.Add(new ConfigError(item.Location, item.Kind == JsonKind.String && item.Text.Length > LongestQuery
            ? $"the query has {item.Text.Length} characters; {LongestQuery} are the most" : $"a query is a text that is not empty, or a picture {{\"type\":\"image_url\",\"image_url\":{{\"url\":\"data:image/png;base64,...\"}}}}, not {JsonObjectReader.Describe(item)}"));
        return null;
    }

    private static (bool Rerank, double? Threshold) Ranking(JsonObjectReader body, List<ConfigError> errors)
    {
        if (body.Value("ranking_options") is not { } node) return (true, null);
        var reader = new JsonObjectReader(node, "'ranking_options'", errors);
        var ranker = reader.Text("ranker") ?? "auto";
        // OpenAI's ranker has a date for a name; whatever it is called, here it is the one that is configured.
        if (ranker is not ("auto" or "none") && !ranker.StartsWith("default", StringComparison.Ordinal))
            errors.Add(new ConfigError(node.Find("ranker")!.Location, $"'{ranker}' is no ranker{NearestName.Suggestion(ranker, ["auto", "none"])}; rankers are auto and none"));
        double? threshold = reader.Value("score_threshold") is null ? null : reader.Number("score_threshold", 0, -1e9, 1e9);
        if (reader.Value("hybrid_search") is { } hybrid) errors.Add(new ConfigError(hybrid.Location, "how lists are joined is a setting of the retriever (retriever.hybrid in the retrieval file), not of a search; leave 'hybrid_search' out"));
        reader.End();
        return (ranker != "none", threshold);
    }
}
