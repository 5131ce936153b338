using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using PluginHost.Runs.Decoding;
using PluginHost.Sdk;

namespace PluginHost.Serving.Http;

/// <summary>Answers in the shapes of <c>/v1/chat/completions</c> and <c>/v1/completions</c>.</summary>
/// <param name="id">The answer's id.</param>
/// <param name="model">The model's id.</param>
/// <param name="created">Seconds since 1970.</param>
/// <param name="tokenizer">For the texts of tokens; null: nobody knows them.</param>
internal sealed class ChatJson(string id, string model, long created, ITokenizer? tokenizer)
{
    private static readonly JsonSerializerOptions Compact = new(AIJsonUtilities.DefaultOptions) { WriteIndented = false };

    /// <summary>A whole answer.</summary>
    public void Whole(Utf8JsonWriter writer, IReadOnlyList<ChatAnswer> answers, bool logProbabilities)
    {
        Head(writer, "chat.completion");
        writer.WriteStartArray("choices");
        for (var i = 0; i < answers.Count; i++)
        {
            var answer = answers[i];
            writer.WriteStartObject();
            writer.WriteNumber("index", i);
            writer.WriteStartObject("message");
            writer.WriteString("role", "assistant");
            writer.WriteString("content", answer.Calls.Count > 0 && answer.Text.Length == 0 ? null : answer.Text);
            writer.WriteNull("refusal");
            if (answer.Calls.Count > 0) Calls(writer, answer.Calls, null);
            ToolResults.Write(writer, answer.Results);
            answer.Annotations.Write(writer, answer.Text);
            writer.WriteEndObject();
            if (logProbabilities) LogProbabilities(writer, answer.Pieces);
            else writer.WriteNull("logprobs");
            writer.WriteString("finish_reason", NameOf(answer.Reason));
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        Usage(writer, answers, answers.Count);
        writer.WriteEndObject();
    }

    /// <summary>What an update adds to an answer.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="index">Which answer.</param>
    /// <param name="update">The update.</param>
    /// <param name="first">Whether it is the answer's first.</param>
    /// <param name="logProbabilities">Whether they are wanted.</param>
    /// <param name="earlier">Calls of the same answer in earlier updates.</param>
    /// <param name="answer">The answer so far; its annotations come with its end.</param>
    public void Chunk(Utf8JsonWriter writer, int index, ChatResponseUpdate update, bool first, bool logProbabilities, int earlier, ChatAnswer answer)
    {
        var calls = update.Contents.OfType<FunctionCallContent>().ToList();
        Head(writer, "chat.completion.chunk");
        writer.WriteStartArray("choices");
        writer.WriteStartObject();
        writer.WriteNumber("index", index);
        writer.WriteStartObject("delta");
        if (first) writer.WriteString("role", "assistant");
        if (calls.Count > 0 && update.Text.Length == 0) { if (first) writer.WriteNull("content"); }
        else if (first || update.FinishReason is null) writer.WriteString("content", update.Text);
        if (calls.Count > 0) Calls(writer, calls, earlier);
        ToolResults.Write(writer, [.. update.Contents.OfType<FunctionResultContent>()]);
        if (update.FinishReason is not null) answer.Annotations.Write(writer, answer.Text);
        writer.WriteEndObject();
        if (logProbabilities && update.RawRepresentation is DecodedPiece piece) LogProbabilities(writer, [piece]);
        else writer.WriteNull("logprobs");
        writer.WriteString("finish_reason", update.FinishReason is { } reason ? NameOf(reason) : null);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>What a stream took, as its last event.</summary>
    public void UsageChunk(Utf8JsonWriter writer, IReadOnlyList<ChatAnswer> answers)
    {
        Head(writer, "chat.completion.chunk");
        writer.WriteStartArray("choices");
        writer.WriteEndArray();
        Usage(writer, answers, answers.Count);
        writer.WriteEndObject();
    }

    /// <summary>A plain completion, whole or a part of it.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="choices">The texts with why they ended; null: they go on.</param>
    /// <param name="usage">What all took; null: not yet known.</param>
    /// <param name="perPrompt">How many of them answer one prompt.</param>
    public void Completion(Utf8JsonWriter writer, IReadOnlyList<(int Index, string Text, ChatFinishReason? Reason)> choices, IReadOnlyList<ChatAnswer>? usage, int perPrompt)
    {
        Head(writer, "text_completion");
        writer.WriteStartArray("choices");
        foreach (var (index, text, reason) in choices)
        {
            writer.WriteStartObject();
            writer.WriteNumber("index", index);
            writer.WriteString("text", text);
            writer.WriteNull("logprobs");
            writer.WriteString("finish_reason", reason is { } known ? NameOf(known) : null);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        if (usage is not null) Usage(writer, usage, perPrompt);
        writer.WriteEndObject();
    }

    private static string NameOf(ChatFinishReason reason) => reason == ChatFinishReason.ToolCalls ? "tool_calls" : reason.Value;

    private void Head(Utf8JsonWriter writer, string kind)
    {
        writer.WriteStartObject();
        writer.WriteString("id", id);
        writer.WriteString("object", kind);
        writer.WriteNumber("created", created);
        writer.WriteString("model", model);
    }

    private static void Calls(Utf8JsonWriter writer, IReadOnlyList<FunctionCallContent> calls, int? firstIndex)
    {
        writer.WriteStartArray("tool_calls");
        for (var i = 0; i < calls.Count; i++)
        {
            writer.WriteStartObject();
            if (firstIndex is { } from) writer.WriteNumber("index", from + i);
            writer.WriteString("id", calls[i].CallId);
            writer.WriteString("type", "function");
            writer.WriteStartObject("function");
            writer.WriteString("name", calls[i].Name);
            writer.WriteString("arguments", JsonSerializer.Serialize(calls[i].Arguments ?? new Dictionary<string, object?>(), Compact));
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private void LogProbabilities(Utf8JsonWriter writer, IReadOnlyList<DecodedPiece> pieces)
    {
        writer.WriteStartObject("logprobs");
        writer.WriteStartArray("content");
        foreach (var piece in pieces)
        {
            if (piece.Token is not { } token || piece.LogProbability is not { } likely) continue;
            Likely(writer, token, likely.Value, likely.Alternatives);
        }
        writer.WriteEndArray();
        writer.WriteNull("refusal");
        writer.WriteEndObject();
    }

    private void Likely(Utf8JsonWriter writer, int token, double value, IReadOnlyList<(int Token, double Value)>? alternatives)
    {
        var text = tokenizer?.Decode([token]) ?? "";
        writer.WriteStartObject();
        writer.WriteString("token", text);
        writer.WriteNumber("logprob", Math.Max(value, -9999)); // JSON has no infinity
        writer.WriteStartArray("bytes");
        foreach (var octet in Encoding.UTF8.GetBytes(text)) writer.WriteNumberValue(octet);
        writer.WriteEndArray();
        if (alternatives is not null)
        {
            writer.WriteStartArray("top_logprobs");
            foreach (var other in alternatives) Likely(writer, other.Token, other.Value, null);
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
    }

    // A prompt counts once, however many answers it has.
    private static void Usage(Utf8JsonWriter writer, IReadOnlyList<ChatAnswer> answers, int perPrompt)
    {
        var prompt = answers.Chunk(perPrompt).Sum(same => same.Max(answer => answer.Usage?.InputTokenCount ?? 0));
        var written = answers.Sum(answer => answer.Usage?.OutputTokenCount ?? 0);
        writer.WriteStartObject("usage");
        writer.WriteNumber("prompt_tokens", prompt);
        writer.WriteNumber("completion_tokens", written);
        writer.WriteNumber("total_tokens", prompt + written);
        writer.WriteStartObject("prompt_tokens_details");
        writer.WriteNumber("cached_tokens", answers.Chunk(perPrompt).Sum(same => same.Min(answer => answer.Usage?.CachedInputTokenCount ?? 0)));
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
