using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Documents;

/// <summary>Files and vector stores as OpenAI's JSON.</summary>
internal static class DocumentJson
{
    /// <summary>Characters that count as a token where OpenAI's API speaks of tokens: chunks are cut by characters, whatever the model.</summary>
    public const int CharactersOfToken = 4;

    /// <summary>Answers with a page of a list.</summary>
    /// <param name="context">The request.</param>
    /// <param name="items">What is on the page, and one more where there is a next page.</param>
    /// <param name="limit">Most items of a page.</param>
    /// <param name="id">An item's id.</param>
    /// <param name="write">Writes one.</param>
    public static Task ListAsync<T>(HttpContext context, IReadOnlyList<T> items, int limit, Func<T, string> id, Action<Utf8JsonWriter, T> write) => ApiJson.WriteAsync(context, writer =>
    {
        var shown = items.Take(limit).ToList();
        writer.WriteStartObject();
        writer.WriteString("object", "list");
        writer.WriteStartArray("data");
        foreach (var item in shown) write(writer, item);
        writer.WriteEndArray();
        writer.WriteString("first_id", shown.Count > 0 ? id(shown[0]) : null);
        writer.WriteString("last_id", shown.Count > 0 ? id(shown[^1]) : null);
        writer.WriteBoolean("has_more", items.Count > limit);
        writer.WriteEndObject();
    });

    /// <summary>Says that something is deleted.</summary>
    public static Task DeletedAsync(HttpContext context, string kind, string id) => ApiJson.WriteAsync(context, writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("id", id);
        writer.WriteString("object", kind);
        writer.WriteBoolean("deleted", true);
        writer.WriteEndObject();
    });

    /// <summary><c>file</c>.</summary>
    public static void File(Utf8JsonWriter writer, StoredFile file)
    {
        writer.WriteStartObject();
        writer.WriteString("id", file.Id);
        writer.WriteString("object", "file");
        writer.WriteNumber("bytes", file.Bytes);
        writer.WriteNumber("created_at", file.Created.ToUnixTimeSeconds());
        writer.WriteNull("expires_at");
        writer.WriteString("filename", file.Name);
        writer.WriteString("purpose", file.Purpose);
        writer.WriteString("status", "processed");
        writer.WriteNull("status_details");
        writer.WriteEndObject();
    }

    /// <summary><c>vector_store</c>, and with what it is searched.</summary>
    public static void Store(Utf8JsonWriter writer, VectorStore store, FileCounts count, RetrievalEngine engine)
    {
        writer.WriteStartObject();
        writer.WriteString("id", store.Id);
        writer.WriteString("object", "vector_store");
        writer.WriteNumber("created_at", store.Created.ToUnixTimeSeconds());
        writer.WriteNumber("last_active_at", store.Changed.ToUnixTimeSeconds());
        writer.WriteString("name", store.Name);
        writer.WriteString("description", store.Description);
        writer.WriteNumber("usage_bytes", count.Bytes);
        Counts(writer, count);
        writer.WriteString("status", count.InProgress > 0 ? "in_progress" : "completed");
        writer.WriteNull("expires_after");
        writer.WriteNull("expires_at");
        writer.WritePropertyName("metadata");
        writer.WriteRawValue(store.Metadata);
        writer.WriteStartObject("retrieval");
        writer.WriteString("retriever", engine.Retriever);
        writer.WriteString("encoder", engine.Encoder);
        writer.WriteString("reranker", engine.RerankerName);
        writer.WriteBoolean("pictures", engine.Towers is { ReadsPictures: true });
        if (engine.Reason is { } reason) writer.WriteString("reason", reason);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary><c>vector_store.files_batch</c>.</summary>
    public static void Batch(Utf8JsonWriter writer, FileBatch batch, FileCounts count)
    {
        writer.WriteStartObject();
        writer.WriteString("id", batch.Id);
        writer.WriteString("object", "vector_store.files_batch");
        writer.WriteNumber("created_at", batch.Created.ToUnixTimeSeconds());
        writer.WriteString("vector_store_id", batch.Store);
        writer.WriteString("status", batch.Cancelled ? "cancelled" : count.InProgress > 0 ? "in_progress" : "completed");
        Counts(writer, count);
        writer.WriteEndObject();
    }

    /// <summary><c>vector_store.file</c>.</summary>
    public static void Attached(Utf8JsonWriter writer, AttachedFile item)
    {
        writer.WriteStartObject();
        writer.WriteString("id", item.File);
        writer.WriteString("object", "vector_store.file");
        writer.WriteNumber("usage_bytes", item.Status == IngestionStatus.Completed ? item.Bytes : 0);
        writer.WriteNumber("created_at", item.Created.ToUnixTimeSeconds());
        writer.WriteString("vector_store_id", item.Store);
        writer.WriteString("status", NameOf(item.Status));
        if (item.Error is { } error)
        {
            writer.WriteStartObject("last_error");
            writer.WriteString("code", item.ErrorCode);
            writer.WriteString("message", error);
            writer.WriteEndObject();
        }
        else writer.WriteNull("last_error");
        writer.WriteStartObject("chunking_strategy");
        writer.WriteString("type", "static");
        writer.WriteStartObject("static");
        writer.WriteNumber("max_chunk_size_tokens", item.Chunk / CharactersOfToken);
        writer.WriteNumber("chunk_overlap_tokens", 0);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WritePropertyName("attributes");
        writer.WriteRawValue(item.Attributes);
        writer.WriteEndObject();
    }

    /// <summary>A state's name.</summary>
    public static string NameOf(IngestionStatus status) => status switch
    {
        IngestionStatus.InProgress => "in_progress",
        IngestionStatus.Completed => "completed",
        IngestionStatus.Cancelled => "cancelled",
        _ => "failed",
    };

    private static void Counts(Utf8JsonWriter writer, FileCounts count)
    {
        writer.WriteStartObject("file_counts");
        writer.WriteNumber("in_progress", count.InProgress);
        writer.WriteNumber("completed", count.Completed);
        writer.WriteNumber("failed", count.Failed);
        writer.WriteNumber("cancelled", count.Cancelled);
        writer.WriteNumber("total", count.Total);
        writer.WriteEndObject();
    }
}
