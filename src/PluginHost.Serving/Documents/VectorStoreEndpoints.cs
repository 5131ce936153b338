using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Documents;

/// <summary><c>/v1/vector_stores</c> and their files in OpenAI's shapes.</summary>
internal sealed class VectorStoreEndpoints(DocumentHost documents, StoreIngestion ingestion, ServerConfig server, TimeProvider clock)
{
    private const int MostListed = 100;
    private const int MostFiles = 500;
    private const int LongestText = 512;
    private static readonly string[] Statuses = [.. Enum.GetValues<IngestionStatus>().Select(DocumentJson.NameOf)];

    /// <summary>Maps the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        const string stores = "/v1/vector_stores";
        routes.MapPost(stores, (Delegate)CreateAsync).WithSummary("Makes a vector store");
        routes.MapGet(stores, (Delegate)ListAsync).WithSummary("Vector stores, the newest first");
        routes.MapGet(stores + "/{id}", (Delegate)ShowAsync).WithSummary("One vector store, and what it is searched with");
        routes.MapPost(stores + "/{id}", (Delegate)ChangeAsync).WithSummary("Changes a vector store's name and metadata");
        routes.MapDelete(stores + "/{id}", (Delegate)DeleteAsync).WithSummary("Deletes a vector store; its files stay");
        routes.MapPost(stores + "/{id}/files", (Delegate)AttachAsync).WithSummary("Attaches a file to a vector store; it is read in the background");
        routes.MapGet(stores + "/{id}/files", (Delegate)ListFilesAsync).WithSummary("The files of a vector store");
        routes.MapGet(stores + "/{id}/files/{file}", (Delegate)ShowFileAsync).WithSummary("A file of a vector store: whether it has been read, and why not");
        routes.MapPost(stores + "/{id}/files/{file}", (Delegate)ChangeFileAsync).WithSummary("Changes the attributes of a vector store's file");
        routes.MapDelete(stores + "/{id}/files/{file}", (Delegate)DetachAsync).WithSummary("Takes a file out of a vector store");
    }

    private async Task CreateAsync(HttpContext context)
    {
        var engine = documents.Engine;
        var (reader, errors) = await BodyAsync(context, "a vector store");
        var (name, description) = (Short(reader, "name", errors), Short(reader, "description", errors));
        var files = reader.Items("file_ids") ?? [];
        if (files.Count > MostFiles) errors.Add(new ConfigError(files[0].Location, $"there are {files.Count} files; {MostFiles} are the most in one request"));
        List<string?> known = [.. files.Take(MostFiles).Select(file => FileEndpoints.Known(documents, file, errors))];
        var metadata = FileAttributes.Read(reader, "metadata", textsAlone: true, errors);
        var chunk = Chunk(reader, engine.Chunk, errors);
        if (reader.Value("expires_after") is { } expires) errors.Add(new ConfigError(expires.Location, "vector stores do not expire here; leave 'expires_after' out, and delete the store"));
        End(reader, errors);
        var store = FileEndpoints.Kept(() =>
        {
            var made = documents.Store.AddStore(name ?? "", description, metadata ?? "{}", clock.GetUtcNow());
            foreach (var file in known) documents.Store.Attach(made.Id, new AttachedAs(file!, "{}", chunk), clock.GetUtcNow());
            return made;
        });
        ingestion.Wake();
        await WriteAsync(context, store);
    }

    private Task ListAsync(HttpContext context)
    {
        var engine = documents.Engine;
        var page = ListQuery.Read(context, 20, MostListed, id => documents.Store.FindStore(id)?.Number);
        return DocumentJson.ListAsync(context, documents.Store.ListStores(page), page.Limit, store => store.Id, (writer, store) => DocumentJson.Store(writer, store, documents.Store.Count(store.Id), engine));
    }

    private Task ShowAsync(HttpContext context) => WriteAsync(context, Named(context));

    private async Task ChangeAsync(HttpContext context)
    {
        var store = Named(context);
        var (reader, errors) = await BodyAsync(context, "a change of a vector store");
        var (name, metadata) = (Short(reader, "name", errors), FileAttributes.Read(reader, "metadata", textsAlone: true, errors));
        if (reader.Value("expires_after") is { } expires) errors.Add(new ConfigError(expires.Location, "vector stores do not expire here; leave 'expires_after' out, and delete the store"));
        End(reader, errors);
        FileEndpoints.Kept(() => documents.Store.ChangeStore(store.Id, name, metadata, clock.GetUtcNow()));
        await WriteAsync(context, Named(context));
    }

    private Task DeleteAsync(HttpContext context)
    {
        var store = Named(context);
        FileEndpoints.Kept(() => documents.Store.DeleteStore(store.Id));
        documents.Indexes!.Remove(store.Id);
        return DocumentJson.DeletedAsync(context, "vector_store.deleted", store.Id);
    }

    private async Task AttachAsync(HttpContext context)
    {
        var store = Named(context);
        var (reader, errors) = await BodyAsync(context, "a file of a vector store");
        var file = reader.RequiredText("file_id");
        var attributes = FileAttributes.Read(reader, "attributes", textsAlone: false, errors);
        var chunk = Chunk(reader, documents.Engine.Chunk, errors);
        End(reader, errors);
        var known = FileEndpoints.Find(documents, file!);
        var item = FileEndpoints.Kept(() => documents.Store.Attach(store.Id, new AttachedAs(known.Id, attributes ?? "{}", chunk), clock.GetUtcNow()));
        ingestion.Wake();
        await ApiJson.WriteAsync(context, writer => DocumentJson.Attached(writer, item));
    }

    private Task ListFilesAsync(HttpContext context)
    {
        return FilesAsync(context, documents, Named(context).Id, null);
    }

    /// <summary>Answers with a page of a store's files, or of those of a batch of it.</summary>
    public static Task FilesAsync(HttpContext context, DocumentHost documents, string store, string? batch)
    {
        var page = ListQuery.Read(context, 20, MostListed, id => documents.Store.FindAttached(store, id)?.Number);
        var filter = (string?)context.Request.Query["filter"];
        if (filter is not null && !Statuses.Contains(filter)) throw new ApiException(ApiError.Invalid($"'{filter}' is no status{NearestName.Suggestion(filter, Statuses)}; statuses are {string.Join(", ", Statuses)}", "filter"));
        IngestionStatus? status = filter is null ? null : (IngestionStatus)Array.IndexOf(Statuses, filter);
        return DocumentJson.ListAsync(context, documents.Store.ListAttached(store, page, status, batch), page.Limit, item => item.File, DocumentJson.Attached);
    }

    private Task ShowFileAsync(HttpContext context) => ApiJson.WriteAsync(context, writer => DocumentJson.Attached(writer, NamedFile(context)));

    private async Task ChangeFileAsync(HttpContext context)
    {
        var item = NamedFile(context);
        var (reader, errors) = await BodyAsync(context, "a change of attributes");
        var attributes = FileAttributes.Read(reader, "attributes", textsAlone: false, errors);
        End(reader, errors);
        FileEndpoints.Kept(() => documents.Store.ChangeAttributes(item.Store, item.File, attributes ?? "{}"));
        await ShowFileAsync(context);
    }

    private Task DetachAsync(HttpContext context)
    {
        var item = NamedFile(context);
        FileEndpoints.Kept(() => ingestion.Detach(item.Store, item.File, clock.GetUtcNow()));
        return DocumentJson.DeletedAsync(context, "vector_store.file.deleted", item.File);
    }

    private Task WriteAsync(HttpContext context, VectorStore store) => ApiJson.WriteAsync(context, writer => DocumentJson.Store(writer, store, documents.Store.Count(store.Id), documents.Engine));

    private VectorStore Named(HttpContext context) => Find(documents, (string)context.Request.RouteValues["id"]!);

    /// <summary>A store by its id.</summary>
    /// <exception cref="ApiException">There is none, or documents are not searched here.</exception>
    public static VectorStore Find(DocumentHost documents, string id)
    {
        _ = documents.Engine;
        return documents.Store.FindStore(id) ?? throw new ApiException(ApiError.Missing($"there is no vector store '{id}'", null, "vector_store_not_found"));
    }

    private AttachedFile NamedFile(HttpContext context)
    {
        var (store, file) = (Named(context), (string)context.Request.RouteValues["file"]!);
        return documents.Store.FindAttached(store.Id, file) ?? throw new ApiException(ApiError.Missing($"there is no file '{file}' in the vector store '{store.Id}'", null, "file_not_found"));
    }

    private async Task<(JsonObjectReader, List<ConfigError>)> BodyAsync(HttpContext context, string what)
    {
        var errors = new List<ConfigError>();
        return (new JsonObjectReader(await ApiJson.ReadAsync(context, server.MaxBodyBytes), what, errors), errors);
    }

    /// <summary>Nothing else is in a body, and nothing is wrong with it.</summary>
    public static void End(JsonObjectReader reader, List<ConfigError> errors)
    {
        reader.End();
        if (errors.Count > 0) throw new ConfigException(errors);
    }

    private static string? Short(JsonObjectReader reader, string name, List<ConfigError> errors)
    {
        if (reader.AnyText(name) is not { } text) return null;
        if (text.Length > LongestText) errors.Add(new ConfigError(reader.Value(name)!.Location, $"'{name}' has {text.Length} characters; {LongestText} are the most"));
        return text;
    }

    /// <summary>Characters of a chunk, as a body asks for them.</summary>
    public static int Chunk(JsonObjectReader body, int missing, List<ConfigError> errors)
    {
        if (body.Value("chunking_strategy") is not { } node) return missing;
        var reader = new JsonObjectReader(node, "'chunking_strategy'", errors);
        var (type, chunk) = (reader.RequiredText("type"), missing);
        if (type == "static" && reader.Required("static") is { } sizes)
        {
            var inner = new JsonObjectReader(sizes, "'static'", errors);
            inner.Required("max_chunk_size_tokens");
            chunk = (int)inner.Integer("max_chunk_size_tokens", missing / DocumentJson.CharactersOfToken, 100, 4096) * DocumentJson.CharactersOfToken;
            if (inner.Integer("chunk_overlap_tokens", 0, 0, 4096) > 0) errors.Add(new ConfigError(sizes.Find("chunk_overlap_tokens")!.Location, "chunks do not overlap here: send 'chunk_overlap_tokens' 0"));
            inner.End();
        }
        else if (type is not (null or "static" or "auto")) errors.Add(new ConfigError(node.Find("type")!.Location, $"'{type}' is no chunking strategy{NearestName.Suggestion(type, ["auto", "static"])}; strategies are auto and static"));
        reader.End();
        return chunk;
    }
}
