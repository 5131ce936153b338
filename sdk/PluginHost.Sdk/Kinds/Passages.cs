using System.Globalization;
using System.Text.Json.Nodes;

namespace PluginHost.Sdk;

/// <summary>Searches the documents that a server keeps. Safe for concurrent use.</summary>
public interface IPassageSearch
{
    /// <summary>The passages that answer a query.</summary>
    /// <param name="store">A vector store, by its id or name; null: what the server's retrieval file has indexed.</param>
    /// <param name="query">The query.</param>
    /// <param name="count">Passages at most, from 1 on.</param>
    /// <returns>The best first.</returns>
    /// <exception cref="UserErrorException">There is no such store, or nothing to search.</exception>
    IReadOnlyList<SourcePassage> Search(string? store, string query, int count);
}

/// <summary>A passage and what it is called that it comes from.</summary>
/// <param name="Source">The document's name, for a person to read: <c>handbook.pdf</c>.</param>
/// <param name="Chunk">The passage.</param>
public sealed record SourcePassage(string Source, FoundChunk Chunk);

/// <summary>
/// Passages as a tool gives them: <c>{"passages":[{"mark":"[1]","id":...,"document":...,"source":...,"place":...,"chunk":...,"score":...,"text":...}]}</c>. A host numbers the marks of one answer on from call
/// to call, and where the answer's text has a mark, it says which passage that is.
/// </summary>
public static class PassageList
{
    /// <summary>Passages in this form, their marks counted from 1.</summary>
    public static JsonObject ToJson(IReadOnlyList<SourcePassage> passages) => new()
    {
        ["passages"] = new JsonArray([.. passages.Select((passage, index) => (JsonNode)new JsonObject
        {
            ["mark"] = Mark(index + 1),
            ["id"] = string.Create(CultureInfo.InvariantCulture, $"{passage.Chunk.Document}#{passage.Chunk.Number}"),
            ["document"] = passage.Chunk.Document,
            ["source"] = passage.Source,
            ["place"] = passage.Chunk.Place,
            ["chunk"] = passage.Chunk.Number,
            ["score"] = passage.Chunk.Score,
            ["text"] = passage.Chunk.Text,
        })]),
    };

    /// <summary>The mark of a number: <c>[1]</c>.</summary>
    public static string Mark(int number) => string.Create(CultureInfo.InvariantCulture, $"[{number}]");
}
