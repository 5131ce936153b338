using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Tools.Calls;
using PluginHost.Tools.Registry;

namespace PluginHost.Tools.Agents;

/// <summary>
/// A model that calls tools until it has an answer, as a chat client. Every step is in its updates: texts and calls as the model writes them, and results as <see cref="FunctionResultContent"/> whose additional
/// properties hold the <see cref="ToolOutcome"/> (<see cref="Outcome"/>). The tools are those of the registry at the beginning of each turn. The last update says why it ended (<c>length</c>: the budget is used up,
/// and a text says which) and what all steps took together. Safe for concurrent use.
/// </summary>
/// <param name="model">Answers; not disposed.</param>
/// <param name="registry">The tools.</param>
/// <param name="config">Instructions and budget.</param>
/// <param name="transcripts">The folder of transcripts; null: none are kept.</param>
public sealed class AgentChat(IChatClient model, ToolRegistry registry, AgentConfig config, string? transcripts) : IChatClient
{
    /// <summary>In the additional properties of a result: its <see cref="ToolOutcome"/>.</summary>
    public const string Outcome = "outcome";

    /// <summary>In the additional properties of a result: the tool's name.</summary>
    public const string Tool = "tool";

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    /// <exception cref="UserErrorException">The request brings tools of its own.</exception>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (options?.Tools is { Count: > 0 }) throw new UserErrorException($"'{config.Id}' calls tools of its own; send the request without 'tools', or ask the model '{config.Model}'");
        var run = new AgentRun(config, messages, cancellationToken);
        using var transcript = transcripts is null ? null : new AgentTranscript(transcripts, config.Id, config.Model);
        transcript?.Asked(run.History);
        var ended = "left";
        try
        {
            while (run.Exhausted is null)
            {
                var turn = new AgentTurn(model, registry, config.Tools, run.Marks);
                run.Begin();
                await using (var updates = turn.TakeAsync(run.History, run.Options(options), run.Token).GetAsyncEnumerator(CancellationToken.None))
                    while (await run.MovedAsync(updates).ConfigureAwait(false))
                        if (run.Seen(updates.Current, turn, transcript) is { } shown) yield return shown;
                if (!run.End(turn, transcript)) break;
            }
            ended = run.Exhausted ?? run.Reason.Value;
            if (run.Exhausted is { } used) yield return new ChatResponseUpdate(ChatRole.Assistant, $"[stopped: {used}]");
            yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(run.Usage)]) { FinishReason = run.Exhausted is null ? run.Reason : ChatFinishReason.Length };
        }
        finally
        {
            transcript?.Ended(ended, run.Steps, run.Usage);
            run.Dispose();
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        // holds nothing of its own
    }
}
