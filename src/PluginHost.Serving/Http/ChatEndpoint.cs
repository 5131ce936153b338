using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using PluginHost.Config;
using PluginHost.Serving.Http.Media;
using PluginHost.Serving.Models;
using PluginHost.Serving.Telemetry;

namespace PluginHost.Serving.Http;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed class ChatEndpoint(ModelDirectory models, ServerConfig server, RequestMedia media, ServingMeter meter, ILogger<ChatEndpoint> logger)
{
    public async Task AnswerAsync(HttpContext context)
    {
        var request = ChatRequestReader.Read(await ApiJson.ReadAsync(context, server.MaxBodyBytes));
        var model = models.Ready(request.Model);
        var chat = model.Chat ?? throw new ApiException(ApiError.Invalid($"the model '{model.Id}' writes no answers; it embeds (POST /v1/embeddings)", "model"));
        await media.FetchAsync(request.Messages, context.RequestAborted);
        var json = new ChatJson($"chatcmpl-{Guid.NewGuid():N}", model.Id, DateTimeOffset.UtcNow.ToUnixTimeSeconds(), model.Tokenizer);
        var answers = Enumerable.Range(0, request.Count).Select(_ => new ChatAnswer()).ToList();
        // A caller that calls tools itself brings what they found.
        foreach (var result in request.Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>())
            foreach (var answer in answers) answer.Annotations.Add(result, 0);
        var updates = Answers.Ask(new MeasuredChat(chat, meter, "chat", model.Id), [.. Answers.Seeded(request.Options, request.Count).Select(options => ((IEnumerable<ChatMessage>)request.Messages, options))], context.RequestAborted);
        if (request.Stream) await StreamAsync(context, request, json, answers, updates);
        else await WholeAsync(context, request, json, answers, updates);
    }

    private static async Task WholeAsync(HttpContext context, ChatRequest request, ChatJson json, List<ChatAnswer> answers, IAsyncEnumerable<(int Index, ChatResponseUpdate Update)> updates)
    {
        await foreach (var (index, update) in updates) answers[index].Add(update, kept: true);
        await ApiJson.WriteAsync(context, writer => json.Whole(writer, answers, request.LogProbabilities));
    }

    private async Task StreamAsync(HttpContext context, ChatRequest request, ChatJson json, List<ChatAnswer> answers, IAsyncEnumerable<(int Index, ChatResponseUpdate Update)> updates)
    {
        var events = new EventStream(context, server.StallTimeout);
        try
        {
            await foreach (var (index, update) in updates)
            {
                var earlier = answers[index].Calls.Count;
                var first = answers[index].Add(update, kept: false);
                await events.SendAsync(writer => json.Chunk(writer, index, update, first, request.LogProbabilities, earlier, answers[index]));
            }
            if (request.IncludeUsage) await events.SendAsync(writer => json.UsageChunk(writer, answers));
            await events.EndAsync();
        }
        catch (Exception error) when (events.CanFail)
        {
            logger.LogError(error, "An answer of '{Model}' broke off", request.Model);
            await events.FailAsync(ApiError.Of(error));
        }
    }
}
