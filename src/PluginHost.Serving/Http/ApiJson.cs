using System.Buffers;
using System.IO.Pipelines;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PluginHost.Config;
using PluginHost.Config.Json;

namespace PluginHost.Serving.Http;

/// <summary>JSON in and out.</summary>
internal static class ApiJson
{
    /// <summary>Texts as they are, but for what JSON itself demands: answers are JSON, never parts of a page.</summary>
    public static JsonWriterOptions Writing { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads a request's body.</summary>
    /// <param name="context">The request.</param>
    /// <param name="limit">Most bytes, unpacked.</param>
    /// <exception cref="ApiException">It is no JSON, or too large.</exception>
    /// <exception cref="ConfigException">It is damaged; all that is wrong.</exception>
    public static async Task<JsonElementNode> ReadAsync(HttpContext context, long limit)
    {
        if (!context.Request.HasJsonContentType())
            throw new ApiException(new ApiError(StatusCodes.Status415UnsupportedMediaType, ApiError.InvalidRequest, $"the body is '{context.Request.ContentType}'; send JSON with Content-Type: application/json"));
        // What can be unpacked has been, and the header is gone.
        if (context.Request.Headers.ContentEncoding is { Count: > 0 } encoding && !encoding.ToString().Equals("identity", StringComparison.OrdinalIgnoreCase))
            throw new ApiException(new ApiError(StatusCodes.Status415UnsupportedMediaType, ApiError.InvalidRequest, $"the body's Content-Encoding is '{encoding}'; send it as it is, or with one of gzip, br and deflate"));
        var body = await ReadBytesAsync(context.Request.Body, limit, context.RequestAborted);
        return JsonTreeReader.Read(body.Span, "body", strict: true);
    }

    /// <summary>Answers with JSON.</summary>
    public static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = "application/json";
        using (var writer = new Utf8JsonWriter(context.Response.BodyWriter, Writing)) write(writer);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBytesAsync(Stream body, long limit, CancellationToken cancellation)
    {
        var bytes = new ArrayBufferWriter<byte>(1 << 14);
        try
        {
            while (await body.ReadAsync(bytes.GetMemory(1 << 14), cancellation) is var read and > 0)
            {
                bytes.Advance(read);
                if (bytes.WrittenCount > limit) throw TooLarge(limit);
            }
        }
        catch (Exception error) when (error is InvalidDataException or InvalidOperationException) // gzip's and Brotli's
        {
            throw new ApiException(ApiError.Invalid("the body is not packed in the way that Content-Encoding says"));
        }
        catch (BadHttpRequestException error) when (error.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw TooLarge(limit);
        }
        return bytes.WrittenMemory;
    }

    private static ApiException TooLarge(long limit) =>
        new(new ApiError(StatusCodes.Status413PayloadTooLarge, ApiError.InvalidRequest, $"the body has more than {limit >> 20} MB, which is the most that this server reads (server.maxBodyMegabytes)", null, "request_too_large"));
}
