using Microsoft.Extensions.AI;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Runs.Chat;

namespace PluginHost.Serving.Http;

/// <summary>Reads the body of <c>/v1/chat/completions</c>.</summary>
internal static class ChatRequestReader
{
    /// <summary>Most answers to one request.</summary>
    public const int MostAnswers = 16;

    private const int MostStops = 4;
    private const int MostAlternatives = 20;

    // What callers send to OpenAI and what changes nothing here.
    private static readonly string[] Ignored = ["user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "parallel_tool_calls", "modalities"];

    /// <exception cref="ConfigException">All that is wrong with it.</exception>
    public static ChatRequest Read(JsonElementNode body)
    {
        var errors = new List<ConfigError>();
        var reader = new JsonObjectReader(body, "a chat request", errors);
        var model = reader.RequiredText("model") ?? "";
        var messages = reader.Required("messages") is null ? [] : MessageReader.Read(reader.Items("messages") ?? [], errors);
        if (errors.Count == 0 && messages.Count == 0) errors.Add(new ConfigError(body.Find("messages")!.Location, "there are no messages; send at least one of the user's"));
        var options = Sampling(reader, body, errors);
        ToolReader.Read(reader, options, errors);
        options.ResponseFormat = Format(reader, errors);
        var wanted = reader.Flag("logprobs", false);
        var alternatives = (int)reader.Integer("top_logprobs", 0, 0, MostAlternatives);
        if (alternatives > 0 && !wanted) errors.Add(new ConfigError(body.Find("top_logprobs")!.Location, "'top_logprobs' needs 'logprobs': true"));
        if (wanted) (options.AdditionalProperties ??= [])[GraphChatClient.LogProbabilities] = alternatives;
        var request = new ChatRequest(model, messages, options)
        {
            Count = (int)reader.Integer("n", 1, 1, MostAnswers),
            Stream = reader.Flag("stream", false),
            IncludeUsage = reader.Value("stream_options") is { } streaming && IncludesUsage(new JsonObjectReader(streaming, "'stream_options'", errors)),
        };
        foreach (var name in Ignored) reader.Value(name);
        reader.End();
        return errors.Count == 0 ? request : throw new ConfigException(errors);
    }

    /// <summary>What chat and plain completions have in common.</summary>
    public static ChatOptions Sampling(JsonObjectReader reader, JsonElementNode body, List<ConfigError> errors)
    {
        var most = reader.Integer("max_completion_tokens", 0, 1, int.MaxValue);
        var older = reader.Integer("max_tokens", 0, 1, int.MaxValue);
        if (most > 0 && older > 0 && most != older) errors.Add(new ConfigError(body.Find("max_tokens")!.Location, "'max_tokens' and 'max_completion_tokens' are one setting; give it once"));
        foreach (var name in (string[])["frequency_penalty", "presence_penalty"])
            if (reader.Number(name, 0, -2, 2) != 0) errors.Add(new ConfigError(body.Find(name)!.Location, $"'{name}' is not known to this server; 'repetition_penalty' is"));
        if (reader.Members("logit_bias").Count > 0) errors.Add(new ConfigError(body.Find("logit_bias")!.Location, "'logit_bias' is not known to this server"));
        var options = new ChatOptions
        {
            MaxOutputTokens = Math.Max(most, older) is var tokens and > 0 ? (int)tokens : null,
            Temperature = reader.Value("temperature") is null ? null : (float)reader.Number("temperature", 1, 0, 2),
            TopP = reader.Value("top_p") is null ? null : (float)reader.Number("top_p", 1, 1e-6, 1),
            Seed = reader.Value("seed") is null ? null : reader.Integer("seed", 0, long.MinValue, long.MaxValue),
            StopSequences = Stops(reader, errors),
        };
        if (reader.Value("repetition_penalty") is not null) options.AdditionalProperties = new() { [GraphChatClient.RepetitionPenalty] = reader.Number("repetition_penalty", 1, 0.01, 100) };
        return options;
    }

    /// <summary>Whether the end of a stream says what it took.</summary>
    public static bool IncludesUsage(JsonObjectReader reader)
    {
        var wanted = reader.Flag("include_usage", false);
        reader.Flag("include_obfuscation", false);
        reader.End();
        return wanted;
    }

    private static IList<string>? Stops(JsonObjectReader reader, List<ConfigError> errors)
    {
        if (reader.Value("stop") is not { } stop) return null;
        if (stop.Kind == JsonKind.String) return reader.Text("stop") is { } one ? [one] : null;
        var texts = reader.Texts("stop", []);
        if (texts.Count > MostStops) errors.Add(new ConfigError(stop.Location, $"'stop' has {texts.Count} texts; {MostStops} are the most"));
        return [.. texts];
    }

    private static ChatResponseFormat? Format(JsonObjectReader reader, List<ConfigError> errors)
    {
        if (reader.Value("response_format") is not { } node) return null;
        var format = new JsonObjectReader(node, "'response_format'", errors);
        var type = format.Text("type");
        format.Value("json_schema");
        format.End();
        switch (type)
        {
            case "text": return null;
            case "json_object": return ChatResponseFormat.Json;
            case "json_schema":
                errors.Add(new ConfigError(node.Location, "answers cannot be held to a JSON Schema yet, and an answer that is not would be worse than none; ask for json_object, or for text"));
                return null;
            default:
                errors.Add(new ConfigError(node.Location, $"'{type}' is no format of answers{NearestName.Suggestion(type ?? "", ["text", "json_object", "json_schema"])}"));
                return null;
        }
    }
}
