using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Serving.Http.Media;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Http;

/// <summary><c>POST /v1/embeddings</c>: of texts, and of pictures and sounds as parts of a message are written.</summary>
internal sealed class EmbeddingEndpoint(ModelDirectory models, ServerConfig server, RequestMedia media)
{
    private const int MostInputs = 2048;

    public async Task AnswerAsync(HttpContext context)
    {
        var errors = new List<ConfigError>();
        var body = await ApiJson.ReadAsync(context, server.MaxBodyBytes);
        var reader = new JsonObjectReader(body, "an embedding request", errors);
        var id = reader.RequiredText("model") ?? "";
        var input = reader.Required("input");
        var format = reader.Text("encoding_format") ?? "float";
        if (format is not ("float" or "base64")) errors.Add(new ConfigError(body.Find("encoding_format")!.Location, $"'{format}' is no encoding{NearestName.Suggestion(format, ["float", "base64"])}"));
        if (reader.Value("dimensions") is { } dimensions) errors.Add(new ConfigError(dimensions.Location, "the model's embeddings have one width; leave 'dimensions' out"));
        reader.AnyText("user");
        reader.End();
        if (errors.Count > 0) throw new ConfigException(errors);

        var model = models.Ready(id);
        var embeddings = model.Embeddings ?? throw new ApiException(ApiError.Invalid($"the model '{id}' embeds nothing: texts and media share no space in it", "model"));
        var contents = Inputs(input!, model);
        await media.FetchAsync(contents, "input", context.RequestAborted);
        var vectors = await embeddings.GenerateAsync(contents, null, context.RequestAborted);
        var tokens = contents.OfType<TextContent>().Sum(text => model.Tokenizer?.Encode(text.Text).Count ?? 0);
        await ApiJson.WriteAsync(context, writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("object", "list");
            writer.WriteString("model", model.Id);
            writer.WriteStartArray("data");
            for (var i = 0; i < vectors.Count; i++)
            {
                writer.WriteStartObject();
                writer.WriteString("object", "embedding");
                writer.WriteNumber("index", i);
                if (format == "base64") writer.WriteBase64String("embedding", MemoryMarshal.AsBytes(vectors[i].Vector.Span));
                else
                {
                    writer.WriteStartArray("embedding");
                    foreach (var value in vectors[i].Vector.Span) writer.WriteNumberValue(value);
                    writer.WriteEndArray();
                }
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteStartObject("usage");
            writer.WriteNumber("prompt_tokens", tokens);
            writer.WriteNumber("total_tokens", tokens);
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private static List<AIContent> Inputs(JsonElementNode input, IServedModel model)
    {
        var errors = new List<ConfigError>();
        // [1, 2, 3] are the tokens of one text.
        IReadOnlyList<JsonElementNode> nodes = input is { Kind: JsonKind.Array } and not { Items: [{ Kind: JsonKind.Number }, ..] } ? input.Items : [input];
        if (nodes.Count is 0 or > MostInputs) throw new ConfigException([new ConfigError(input.Location, $"there are {nodes.Count} inputs; send 1 to {MostInputs}")]);
        var contents = nodes.Select(node => node.Kind switch
        {
            JsonKind.String when node.Text.Length > 0 => new TextContent(node.Text),
            JsonKind.Array when model.Tokenizer is { } tokenizer && node.Items.Count > 0 => new TextContent(tokenizer.Decode([.. node.Items.Select(item => TokenReader.Read(item, tokenizer.Vocabulary))])),
            JsonKind.Object => MessageReader.Part(node, errors),
            _ => Wrong(node, errors),
        }).ToList();
        return errors.Count == 0 ? [.. contents.OfType<AIContent>()] : throw new ConfigException(errors);
    }

    private static AIContent? Wrong(JsonElementNode node, List<ConfigError> errors)
    {
        errors.Add(new ConfigError(node.Location, $"an input is a text that is not empty, a list of tokens, or a part such as {{\"type\":\"image_url\",...}}, not {JsonObjectReader.Describe(node)}"));
        return null;
    }
}
