using Microsoft.AspNetCore.Http;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Sdk;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Http;

/// <summary><c>POST /v1/tokenize</c> and <c>/v1/detokenize</c>.</summary>
internal sealed class TokenEndpoints(ModelDirectory models, ServerConfig server)
{
    public async Task TokenizeAsync(HttpContext context)
    {
        var (model, tokenizer, prompt) = await ReadAsync(context, "prompt");
        if (prompt.Kind != JsonKind.String) throw new ConfigException([new ConfigError(prompt.Location, $"'prompt' is a text, not {JsonObjectReader.Describe(prompt)}")]);
        var tokens = tokenizer.Encode(prompt.Text);
        await ApiJson.WriteAsync(context, writer =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("count", tokens.Count);
            if (model.ContextLength is { } most) writer.WriteNumber("max_model_len", most);
            writer.WriteStartArray("tokens");
            foreach (var token in tokens) writer.WriteNumberValue(token);
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    public async Task DetokenizeAsync(HttpContext context)
    {
        var (_, tokenizer, tokens) = await ReadAsync(context, "tokens");
        if (tokens.Kind != JsonKind.Array) throw new ConfigException([new ConfigError(tokens.Location, $"'tokens' is a list of token ids, not {JsonObjectReader.Describe(tokens)}")]);
        var text = tokenizer.Decode([.. tokens.Items.Select(item => TokenReader.Read(item, tokenizer.Vocabulary))]);
        await ApiJson.WriteAsync(context, writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("prompt", text);
            writer.WriteEndObject();
        });
    }

    private async Task<(IServedModel Model, ITokenizer Tokenizer, JsonElementNode Value)> ReadAsync(HttpContext context, string name)
    {
        var errors = new List<ConfigError>();
        var reader = new JsonObjectReader(await ApiJson.ReadAsync(context, server.MaxBodyBytes), "a request for tokens", errors);
        var id = reader.RequiredText("model");
        var value = reader.Required(name);
        reader.End();
        if (errors.Count > 0 || id is null || value is null) throw new ConfigException(errors);
        var model = models.Ready(id);
        return (model, model.Tokenizer ?? throw new ApiException(ApiError.Invalid($"nobody here knows the tokens of the model '{id}'", "model")), value);
    }
}
