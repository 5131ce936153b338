using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Documents;

/// <summary><c>/v1/files</c> in OpenAI's shapes. All keys of a server see the same files.</summary>
internal sealed class FileEndpoints(DocumentHost documents, StoreIngestion ingestion, ServerConfig server, TimeProvider clock)
{
    private const int MostListed = 10_000;
    private const int LongestName = 255;
    private static readonly string[] Purposes = ["assistants", "user_data", "fine-tune", "batch", "vision", "evals"];

    /// <summary>Maps the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        const string files = "/v1/files";
        routes.MapPost(files, (Delegate)CreateAsync).WithSummary("Keeps a file that is sent as multipart/form-data, with its purpose");
        routes.MapGet(files, (Delegate)ListAsync).WithSummary("Files, the newest first");
        routes.MapGet(files + "/{id}", (Delegate)ShowAsync).WithSummary("One file");
        routes.MapGet(files + "/{id}/content", (Delegate)ContentAsync).WithSummary("The content of a file");
        routes.MapDelete(files + "/{id}", (Delegate)DeleteAsync).WithSummary("Deletes a file, and takes it out of all vector stores");
    }

    private async Task CreateAsync(HttpContext context)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase) || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 200 } boundary)
            throw new ApiException(new ApiError(StatusCodes.Status415UnsupportedMediaType, ApiError.InvalidRequest, $"the body is '{context.Request.ContentType}'; send multipart/form-data with the fields 'purpose' and 'file'"));
        var id = DocumentStore.NewId("file-");
        var sent = new SentFile();
        try
        {
            await ReadAsync(new MultipartReader(boundary, context.Request.Body), id, sent, context.RequestAborted);
            if (sent.Purpose is null) throw Wrong($"there is no 'purpose'; purposes are {string.Join(", ", Purposes)}", "purpose");
            if (sent.Name is null) throw Wrong("there is no 'file' with a filename", "file");
            if (sent.Bytes == 0) throw Wrong($"the file '{sent.Name}' is empty", "file");
            var file = Kept(() => documents.Store.AddFile(id, sent.Name, sent.Purpose, sent.Bytes, sent.Hash, clock.GetUtcNow()));
            await ApiJson.WriteAsync(context, writer => DocumentJson.File(writer, file));
        }
        catch when (documents.Store.FindFile(id) is null)
        {
            documents.Contents.Delete(id);
            throw;
        }
    }

    private async Task ReadAsync(MultipartReader reader, string id, SentFile sent, CancellationToken cancellation)
    {
        try
        {
            while (await reader.ReadNextSectionAsync(cancellation) is { } section)
            {
                ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var part);
                var name = HeaderUtilities.RemoveQuotes(part?.Name ?? default).Value;
                if (name == "purpose") sent.Purpose = Purpose(await TextAsync(section.Body, cancellation));
                else if (name == "file" && sent.Name is null) await FileAsync(part!, section.Body, id, sent, cancellation);
                else throw Wrong(name == "file" ? "there are two files; send one request for each" : $"unknown field '{name}' of a file{NearestName.Suggestion(name ?? "", ["file", "purpose"])}", name);
            }
        }
        catch (BadHttpRequestException error) when (error.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw TooLarge();
        }
        catch (Exception error) when (error is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw Wrong("the body is no complete multipart/form-data", null);
        }
    }

    private async Task FileAsync(ContentDispositionHeaderValue part, Stream body, string id, SentFile sent, CancellationToken cancellation)
    {
        sent.Name = NameOf(HeaderUtilities.RemoveQuotes(part.FileNameStar.HasValue ? part.FileNameStar : part.FileName).Value ?? "");
        try
        {
            (sent.Bytes, sent.Hash) = await documents.Contents.WriteAsync(id, body, server.MaxBodyBytes, cancellation) ?? throw TooLarge();
        }
        catch (UnwritableException error)
        {
            throw Unwritable(error.Message);
        }
    }

    private Task ListAsync(HttpContext context)
    {
        var page = ListQuery.Read(context, MostListed, MostListed, id => documents.Store.FindFile(id)?.Number);
        var files = documents.Store.ListFiles(page, (string?)context.Request.Query["purpose"]);
        return DocumentJson.ListAsync(context, files, page.Limit, file => file.Id, DocumentJson.File);
    }

    private Task ShowAsync(HttpContext context) => ApiJson.WriteAsync(context, writer => DocumentJson.File(writer, Named(context)));

    private async Task ContentAsync(HttpContext context)
    {
        var file = Named(context);
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = file.Bytes;
        // What somebody has sent is never a page of this server's.
        context.Response.Headers.XContentTypeOptions = "nosniff";
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName(file.Name);
        context.Response.Headers.ContentDisposition = disposition.ToString();
        await context.Response.SendFileAsync(documents.Contents.PathOf(file.Id), context.RequestAborted);
    }

    private Task DeleteAsync(HttpContext context)
    {
        var file = Named(context);
        Kept(() => ingestion.Delete(file.Id, clock.GetUtcNow()));
        return DocumentJson.DeletedAsync(context, "file", file.Id);
    }

    private StoredFile Named(HttpContext context) => Find(documents, (string)context.Request.RouteValues["id"]!);

    /// <summary>A file by its id.</summary>
    /// <exception cref="ApiException">There is none.</exception>
    public static StoredFile Find(DocumentHost documents, string id) => documents.Store.FindFile(id) ?? throw new ApiException(ApiError.Missing($"there is no file '{id}'", null, "file_not_found"));

    /// <summary>A file that a body names by its id; null: there is none, which is noted.</summary>
    public static string? Known(DocumentHost documents, JsonElementNode id, List<ConfigError> errors)
    {
        if (id.Kind == JsonKind.String && documents.Store.FindFile(id.Text) is not null) return id.Text;
        errors.Add(new ConfigError(id.Location, id.Kind == JsonKind.String ? $"there is no file '{id.Text}'" : $"a file is named by its id, not {JsonObjectReader.Describe(id)}"));
        return null;
    }

    /// <summary>Changes what is kept; a full disk is said as what it is.</summary>
    public static T Kept<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Microsoft.Data.Sqlite.SqliteException error)
        {
            throw Unwritable(error.Message);
        }
    }

    private static string Purpose(string given) => Purposes.Contains(given) ? given : throw Wrong($"'{given}' is no purpose{NearestName.Suggestion(given, Purposes)}; purposes are {string.Join(", ", Purposes)}", "purpose");

    // The last part of a path, whoever's; it is shown, and its extension says what the file is, but no file is called so.
    private static string NameOf(string given)
    {
        var name = new string([.. given[(given.LastIndexOfAny(['/', '\\']) + 1)..].Where(letter => !char.IsControl(letter))]).Trim();
        return name.Length is > 0 and <= LongestName ? name : throw Wrong($"the file needs a filename of 1 to {LongestName} characters", "file");
    }

    private static async Task<string> TextAsync(Stream body, CancellationToken cancellation)
    {
        var bytes = new byte[256];
        var count = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
        return count < bytes.Length ? System.Text.Encoding.UTF8.GetString(bytes, 0, count) : throw Wrong($"'purpose' is one of {string.Join(", ", Purposes)}", "purpose");
    }

    private ApiException TooLarge() => new(new ApiError(StatusCodes.Status413PayloadTooLarge, ApiError.InvalidRequest,
        $"the file has more than {server.MaxBodyBytes >> 20} MB, which is the most that this server reads (server.maxBodyMegabytes)", "file", "request_too_large"));

    private static ApiException Wrong(string message, string? param) => new(ApiError.Invalid(message, param));

    private static ApiException Unwritable(string reason) => new(ApiError.Unavailable($"documents cannot be written ({reason}); nothing was changed: free space for them, and ask again", "documents_unavailable", 5));

    private sealed class SentFile
    {
        public string? Purpose { get; set; }

        public string? Name { get; set; }

        public long Bytes { get; set; }

        public string Hash { get; set; } = "";
    }
}
