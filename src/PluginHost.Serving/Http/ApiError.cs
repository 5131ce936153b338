using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using PluginHost.Config;
using PluginHost.Runs.Chat;
using PluginHost.Sdk;

namespace PluginHost.Serving.Http;

/// <summary>An error in OpenAI's shape.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Type">Whose mistake: <c>invalid_request_error</c>, <c>server_error</c>, ...</param>
/// <param name="Message">What is wrong, by which rule, and the nearest fix.</param>
/// <param name="Param">The part of the request: <c>messages[0].content</c>; null: none in particular.</param>
/// <param name="Code">For programs; null: the type says all.</param>
/// <param name="RetryAfter">Seconds after which the same request may succeed; null: it says nothing about that.</param>
internal sealed record ApiError(int Status, string Type, string Message, string? Param = null, string? Code = null, int? RetryAfter = null)
{
    public const string InvalidRequest = "invalid_request_error";
    private const string ServerError = "server_error";
    private const int MostMistakes = 20;
    private const int MostLetters = 1000;
    private const int MostPath = 200;

    /// <summary>A mistake in the request.</summary>
    public static ApiError Invalid(string message, string? param = null, string? code = null) => new(StatusCodes.Status400BadRequest, InvalidRequest, message, param, code);

    /// <summary>Something named in the request is not there.</summary>
    public static ApiError Missing(string message, string? param = null, string? code = null) => new(StatusCodes.Status404NotFound, InvalidRequest, message, param, code);

    /// <summary>The server cannot answer now.</summary>
    public static ApiError Unavailable(string message, string code, int retryAfter) => new(StatusCodes.Status503ServiceUnavailable, ServerError, message, null, code, retryAfter);

    /// <summary>What a failure says to the one who asked. A message of the program's own is for its log, not for them.</summary>
    public static ApiError Of(Exception exception) => exception switch
    {
        ApiException own => own.Error,
        ConfigException mistakes => Invalid(Sentence(mistakes.Errors), mistakes.Errors.Select(Place).FirstOrDefault(place => place is not null)),
        BusyException busy => new(StatusCodes.Status429TooManyRequests, "rate_limit_error", busy.Message, null, "queue_full", 1),
        ContextLengthException => Invalid(exception.Message, "messages", "context_length_exceeded"),
        UserErrorException or BadSampleException => Invalid(exception.Message),
        NotSupportedException => Invalid(exception.Message, null, "unsupported_parameter"),
        SqliteException full => Unavailable($"the file of jobs cannot be written ({full.Message}); nothing was changed: free space for it, and ask again", "jobs_unavailable", 5),
        BadHttpRequestException bad => new(bad.StatusCode, InvalidRequest, bad.Message),
        OperationCanceledException => Unavailable("the request was stopped before it was answered", "cancelled", 1),
        _ => new(StatusCodes.Status500InternalServerError, ServerError, "the server failed to answer; its log says why"),
    };

    /// <summary>Answers with it.</summary>
    public async Task WriteAsync(HttpContext context)
    {
        context.Response.StatusCode = Status;
        context.Response.ContentType = "application/json";
        if (RetryAfter is { } seconds) context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        using (var writer = new Utf8JsonWriter(context.Response.BodyWriter, ApiJson.Writing)) WriteTo(writer);
        await context.Response.BodyWriter.FlushAsync(CancellationToken.None);
    }

    /// <summary>Writes <c>{"error": ...}</c>.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("error");
        writer.WriteString("type", Type);
        writer.WriteString("message", Message);
        writer.WriteString("param", Param);
        writer.WriteString("code", Code);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    // All that is wrong, but no longer than somebody reads: what was sent may be wrong a million times over.
    private static string Sentence(IReadOnlyList<ConfigError> errors)
    {
        var said = string.Join("; ", errors.Take(MostMistakes).Select(Describe));
        return errors.Count > MostMistakes ? $"{said}; and {errors.Count - MostMistakes} more mistakes" : said;
    }

    private static string Describe(ConfigError error) => Shortened(Place(error) is { } place ? $"{place}: {error.Message}" : error.Message, MostLetters);

    private static string Shortened(string text, int most) => text.Length > most ? text[..most] + "…" : text;

    // $.messages[0].content -> messages[0].content; the whole is nothing in particular
    private static string? Place(ConfigError error) => error.Location?.Path is { Length: > 2 } path ? Shortened(path[2..], MostPath) : null;
}

/// <summary>An error to be answered with.</summary>
internal sealed class ApiException(ApiError error) : Exception(error.Message)
{
    public ApiError Error { get; } = error;
}
