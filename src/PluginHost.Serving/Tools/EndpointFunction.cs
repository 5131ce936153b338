using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;
using PluginHost.Tools.Calls;

namespace PluginHost.Serving.Tools;

/// <summary>A function behind an address.</summary>
/// <param name="name">Its name.</param>
/// <param name="description">What it does.</param>
/// <param name="schema">Its arguments' schema.</param>
/// <param name="most">Most bytes of an answer that are read.</param>
/// <param name="http">How tools go out.</param>
/// <param name="request">A call as a request.</param>
internal sealed class EndpointFunction(string name, string description, JsonElement schema, int most, HttpClient http, Func<AIFunctionArguments, HttpRequestMessage> request) : AIFunction
{
    private const int MostComplaint = 1000; // bytes of an answer that says no

    public override string Name => name;

    public override string Description => description;

    public override JsonElement JsonSchema => schema;

    /// <summary>The arguments as the JSON body of a POST.</summary>
    public static HttpRequestMessage Post(Uri address, AIFunctionArguments arguments) => new(HttpMethod.Post, address) { Content = Body(arguments) };

    /// <summary>Arguments as a JSON object.</summary>
    public static ByteArrayContent Body(IEnumerable<KeyValuePair<string, object?>> arguments)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            foreach (var (key, value) in arguments)
            {
                writer.WritePropertyName(key);
                if (value is JsonElement element) element.WriteTo(writer);
                else writer.WriteNullValue();
            }
            writer.WriteEndObject();
        }
        return new ByteArrayContent(stream.ToArray()) { Headers = { ContentType = new MediaTypeHeaderValue("application/json", "utf-8") } };
    }

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        using var message = request(arguments);
        try
        {
            using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (response.StatusCode == HttpStatusCode.NoContent) return "";
            if (response.IsSuccessStatusCode) return await CappedText.ReadAsync(response.Content, most, cancellationToken);
            var complaint = await CappedText.ReadAsync(response.Content, MostComplaint, cancellationToken);
            var said = $"{message.RequestUri!.Host} answers {(int)response.StatusCode}: {(complaint as CutText)?.Text ?? complaint}";
            // What a server says about the request is for whoever made it; its own trouble may pass.
            if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)response.StatusCode >= 500) throw new ToolFailedException(said, transient: true);
            throw new UserErrorException(said);
        }
        catch (HttpRequestException)
        {
            throw new ToolFailedException($"{message.RequestUri!.Host} does not answer as it should", transient: true);
        }
        catch (IOException)
        {
            throw new ToolFailedException($"the connection to {message.RequestUri!.Host} broke off", transient: true);
        }
    }
}
