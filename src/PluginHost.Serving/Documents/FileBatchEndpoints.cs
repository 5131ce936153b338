using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Documents;

/// <summary><c>/v1/vector_stores/{id}/file_batches</c> in OpenAI's shapes: files that are attached together, all of them or none.</summary>
internal sealed class FileBatchEndpoints(DocumentHost documents, StoreIngestion ingestion, ServerConfig server, TimeProvider clock)
{
    private const int MostFiles = 2000;

    /// <summary>Maps the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        const string batches = "/v1/vector_stores/{id}/file_batches";
        routes.MapPost(batches, (Delegate)CreateAsync).WithSummary("Attaches files to a vector store together; they are read in the background");
        routes.MapGet(batches + "/{batch}", (Delegate)ShowAsync).WithSummary("How far the files of a batch have been read");
        routes.MapPost(batches + "/{batch}/cancel", (Delegate)CancelAsync).WithSummary("Gives up what of a batch has not been read");
        routes.MapGet(batches + "/{batch}/files", (Delegate)ListFilesAsync).WithSummary("The files of a batch");
    }

    private async Task CreateAsync(HttpContext context)
    {
        var store = Store(context);
        var errors = new List<ConfigError>();
        var body = await ApiJson.ReadAsync(context, server.MaxBodyBytes);
        var reader = new JsonObjectReader(body, "a batch of files", errors);
        var attributes = FileAttributes.Read(reader, "attributes", textsAlone: false, errors) ?? "{}";
        var chunk = VectorStoreEndpoints.Chunk(reader, documents.Engine.Chunk, errors);
        var (ids, files) = (reader.Items("file_ids"), reader.Items("files"));
        if (ids is null == files is null) errors.Add(new ConfigError(body.Location, "a batch has one of 'file_ids' (ids) and 'files' (objects with a 'file_id' each)"));
        var count = ids?.Count ?? files?.Count ?? 0;
        if (count is 0 or > MostFiles) errors.Add(new ConfigError(body.Location, $"there are {count} files; send 1 to {MostFiles}"));
        List<AttachedAs?> items = ids is not null ? [.. ids.Take(MostFiles).Select(id => FileEndpoints.Known(documents, id, errors) is { } file ? new AttachedAs(file, attributes, chunk) : null)]
            : [.. (files ?? []).Take(MostFiles).Select(file => Item(file, attributes, chunk, errors))];
        foreach (var twice in items.OfType<AttachedAs>().GroupBy(item => item.File).Where(group => group.Count() > 1))
            errors.Add(new ConfigError(body.Location, $"the file '{twice.Key}' is in the batch {twice.Count()} times"));
        VectorStoreEndpoints.End(reader, errors);
        var batch = FileEndpoints.Kept(() => documents.Store.AttachBatch(store.Id, [.. items.OfType<AttachedAs>()], clock.GetUtcNow()));
        ingestion.Wake();
        await WriteAsync(context, batch);
    }

    private Task ShowAsync(HttpContext context) => WriteAsync(context, Named(context));

    private Task CancelAsync(HttpContext context)
    {
        var batch = Named(context);
        FileEndpoints.Kept(() =>
        {
            ingestion.Cancel(batch);
            return true;
        });
        return ShowAsync(context);
    }

    private Task ListFilesAsync(HttpContext context)
    {
        var batch = Named(context);
        return VectorStoreEndpoints.FilesAsync(context, documents, batch.Store, batch.Id);
    }

    private Task WriteAsync(HttpContext context, FileBatch batch) => ApiJson.WriteAsync(context, writer => DocumentJson.Batch(writer, batch, documents.Store.Count(batch.Store, batch.Id)));

    private VectorStore Store(HttpContext context) => VectorStoreEndpoints.Find(documents, (string)context.Request.RouteValues["id"]!);

    private FileBatch Named(HttpContext context)
    {
        var (store, batch) = (Store(context), (string)context.Request.RouteValues["batch"]!);
        return documents.Store.FindBatch(store.Id, batch) ?? throw new ApiException(ApiError.Missing($"there is no batch '{batch}' of the vector store '{store.Id}'", null, "file_batch_not_found"));
    }

    // What a file of its own does not say, the batch says for all.
    private AttachedAs? Item(JsonElementNode node, string attributes, int chunk, List<ConfigError> errors)
    {
        var reader = new JsonObjectReader(node, "a file of a batch", errors);
        var file = reader.Required("file_id") is { } id ? FileEndpoints.Known(documents, id, errors) : null;
        var (own, size) = (FileAttributes.Read(reader, "attributes", textsAlone: false, errors) ?? attributes, VectorStoreEndpoints.Chunk(reader, chunk, errors));
        reader.End();
        return file is null ? null : new AttachedAs(file, own, size);
    }
}
