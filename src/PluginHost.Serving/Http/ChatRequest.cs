using Microsoft.Extensions.AI;
using PluginHost.Runs.Chat;

namespace PluginHost.Serving.Http;

/// <summary>What a request for an answer asks for, read and checked.</summary>
/// <param name="Model">The model's id.</param>
/// <param name="Messages">The conversation; media by address are still to be fetched.</param>
/// <param name="Options">How to answer.</param>
internal sealed record ChatRequest(string Model, IReadOnlyList<ChatMessage> Messages, ChatOptions Options)
{
    /// <summary>How many answers.</summary>
    public int Count { get; init; } = 1;

    /// <summary>Whether they are sent as they grow.</summary>
    public bool Stream { get; init; }

    /// <summary>Whether a stream ends with what it took.</summary>
    public bool IncludeUsage { get; init; }

    /// <summary>Whether log-probabilities are wanted.</summary>
    public bool LogProbabilities => Options.AdditionalProperties?.ContainsKey(GraphChatClient.LogProbabilities) == true;
}
