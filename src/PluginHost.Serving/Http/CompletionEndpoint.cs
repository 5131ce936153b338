using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Runs.Chat;
using PluginHost.Sdk;
using PluginHost.Serving.Models;
using PluginHost.Serving.Telemetry;

namespace PluginHost.Serving.Http;

/// <summary><c>POST /v1/completions</c>: a text is continued as it stands.</summary>
internal sealed class CompletionEndpoint(ModelDirectory models, ServerConfig server, ServingMeter meter, ILogger<CompletionEndpoint> logger)
{
    private const int MostPrompts = 128;

    private static readonly string[] Ignored = ["user", "best_of"];

    public async Task AnswerAsync(HttpContext context)
    {
        var errors = new List<ConfigError>();
        var body = await ApiJson.ReadAsync(context, server.MaxBodyBytes);
        var reader = new JsonObjectReader(body, "a completion request", errors);
        var id = reader.RequiredText("model") ?? "";
        var prompt = reader.Required("prompt");
        var options = ChatRequestReader.Sampling(reader, body, errors);
        options.MaxOutputTokens ??= 16; // OpenAI's own default here
        var count = (int)reader.Integer("n", 1, 1, ChatRequestReader.MostAnswers);
        var stream = reader.Flag("stream", false);
        var usage = reader.Value("stream_options") is { } streaming && ChatRequestReader.IncludesUsage(new JsonObjectReader(streaming, "'stream_options'", errors));
        foreach (var name in (string[])["echo", "suffix", "logprobs"])
            if (reader.Value(name) is { Text: not "false" } unknown) errors.Add(new ConfigError(unknown.Location, $"'{name}' is not known to this server; /v1/chat/completions has log-probabilities"));
        foreach (var name in Ignored) reader.Value(name);
        reader.End();
        if (errors.Count > 0) throw new ConfigException(errors);

        var model = models.Ready(id);
        if (model.Chat is not { } chat || model.Tokenizer is not { } tokenizer) throw new ApiException(ApiError.Invalid($"the model '{id}' continues no texts", "model"));
        var prompts = Prompts(prompt!, tokenizer);
        var requests = prompts.SelectMany(tokens => Answers.Seeded(options, count).Select(own =>
        {
            (own.AdditionalProperties ??= [])[GraphChatClient.PromptTokens] = tokens;
            return ((IEnumerable<ChatMessage>)[], own);
        })).ToList();
        var json = new ChatJson($"cmpl-{Guid.NewGuid():N}", model.Id, DateTimeOffset.UtcNow.ToUnixTimeSeconds(), tokenizer);
        var answers = requests.Select(_ => new ChatAnswer()).ToList();
        var updates = Answers.Ask(new MeasuredChat(chat, meter, "text_completion", model.Id), requests, context.RequestAborted);
        if (stream) await StreamAsync(context, json, answers, updates, usage ? count : 0);
        else
        {
            await foreach (var (index, update) in updates) answers[index].Add(update, kept: true);
            await ApiJson.WriteAsync(context, writer => json.Completion(writer, [.. answers.Select((answer, index) => (index, answer.Text, (ChatFinishReason?)answer.Reason))], answers, count));
        }
    }

    // With no answers per prompt, nobody wants to know what all took.
    private async Task StreamAsync(HttpContext context, ChatJson json, List<ChatAnswer> answers, IAsyncEnumerable<(int Index, ChatResponseUpdate Update)> updates, int perPrompt)
    {
        var events = new EventStream(context, server.StallTimeout);
        try
        {
            await foreach (var (index, update) in updates)
            {
                answers[index].Add(update, kept: false);
                await events.SendAsync(writer => json.Completion(writer, [(index, update.Text, update.FinishReason)], null, 0));
            }
            if (perPrompt > 0) await events.SendAsync(writer => json.Completion(writer, [], answers, perPrompt));
            await events.EndAsync();
        }
        catch (Exception error) when (events.CanFail)
        {
            logger.LogError(error, "A completion broke off");
            await events.FailAsync(ApiError.Of(error));
        }
    }

    // A text, texts, the tokens of one, or those of several.
    private static List<int[]> Prompts(JsonElementNode node, ITokenizer tokenizer)
    {
        int[] Text(string text) => [tokenizer.Special(SpecialTokens.Begin), .. tokenizer.Encode(text)];
        int[] Tokens(IReadOnlyList<JsonElementNode> items) => [.. items.Select(item => TokenReader.Read(item, tokenizer.Vocabulary))];
        List<int[]> prompts = node switch
        {
            { Kind: JsonKind.String } => [Text(node.Text)],
            { Kind: JsonKind.Array, Items: [{ Kind: JsonKind.Number }, ..] } => [Tokens(node.Items)],
            { Kind: JsonKind.Array, Items.Count: > 0 } => [.. node.Items.Select(item => item switch
            {
                { Kind: JsonKind.String } => Text(item.Text),
                { Kind: JsonKind.Array, Items.Count: > 0 } => Tokens(item.Items),
                _ => throw Wrong(item),
            })],
            _ => throw Wrong(node),
        };
        return prompts.Count <= MostPrompts ? prompts : throw new ConfigException([new ConfigError(node.Location, $"there are {prompts.Count} prompts; {MostPrompts} are the most")]);
    }

    private static ConfigException Wrong(JsonElementNode node) => new([new ConfigError(node.Location, $"a prompt is a text or a list of tokens, not {JsonObjectReader.Describe(node)}")]);
}
