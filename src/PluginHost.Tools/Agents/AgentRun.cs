using Microsoft.Extensions.AI;
using PluginHost.Config;

namespace PluginHost.Tools.Agents;

/// <summary>A request to an agent under way: the conversation as it grows, and what is left of the budget.</summary>
internal sealed class AgentRun : IDisposable
{
    private readonly AgentConfig config;
    private readonly CancellationToken left;
    private readonly CancellationTokenSource time;

    public AgentRun(AgentConfig config, IEnumerable<ChatMessage> messages, CancellationToken cancellation)
    {
        (this.config, left) = (config, cancellation);
        time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        time.CancelAfter(config.MaxTime);
        History = [new ChatMessage(ChatRole.System, config.Instructions is { } said ? $"{said}\n{AgentTool.Rule}" : AgentTool.Rule), .. messages];
    }

    public List<ChatMessage> History { get; }

    public UsageDetails Usage { get; } = new();

    /// <summary>The marks of passages that its tools have found.</summary>
    public PassageMarks Marks { get; } = new();

    public int Steps { get; private set; }

    /// <summary>Which part of the budget is used up; null: none.</summary>
    public string? Exhausted { get; private set; }

    /// <summary>Why the model's last answer ended.</summary>
    public ChatFinishReason Reason { get; private set; } = ChatFinishReason.Stop;

    public CancellationToken Token => time.Token;

    public void Begin() => Steps++;

    /// <summary>How to answer in the next step.</summary>
    public ChatOptions Options(ChatOptions? given)
    {
        var options = given?.Clone() ?? new ChatOptions();
        if (config.MaxTokens > 0) options.MaxOutputTokens = (int)Math.Min(options.MaxOutputTokens ?? int.MaxValue, Math.Max(1, config.MaxTokens - Taken));
        return options;
    }

    /// <summary>Waits for the next update. The time's end is no failure: it ends the answer.</summary>
    public async ValueTask<bool> MovedAsync(IAsyncEnumerator<ChatResponseUpdate> updates)
    {
        try
        {
            return await updates.MoveNextAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (time.IsCancellationRequested && !left.IsCancellationRequested)
        {
            Exhausted = $"{config.MaxTime.TotalSeconds:0.###} s are the most (maxTime)";
            return false;
        }
    }

    /// <summary>Takes an update in, and gives what is shown of it; null: nothing.</summary>
    public ChatResponseUpdate? Seen(ChatResponseUpdate update, AgentTurn turn, AgentTranscript? transcript)
    {
        foreach (var used in update.Contents.OfType<UsageContent>()) Usage.Add(used.Details);
        foreach (var call in update.Contents.OfType<FunctionCallContent>()) transcript?.Called(Steps, call);
        foreach (var result in update.Contents.OfType<FunctionResultContent>())
        {
            var (name, outcome) = (turn.Calls.First(call => call.CallId == result.CallId).Name, turn.Outcome(result.CallId));
            result.AdditionalProperties = new() { [AgentChat.Outcome] = outcome, [AgentChat.Tool] = name };
            transcript?.Returned(Steps, result.CallId, name, outcome);
        }
        Reason = update.FinishReason ?? Reason;
        var contents = update.Contents.Where(content => content is not UsageContent).ToList();
        // Which step it belongs to is nothing that a reader of one answer has to know: it has one end.
        return contents.Count == 0 ? null : new ChatResponseUpdate(update.Role ?? ChatRole.Assistant, contents) { RawRepresentation = update.RawRepresentation, ModelId = update.ModelId };
    }

    /// <summary>Adds a turn to the conversation.</summary>
    /// <returns>Whether there is another.</returns>
    public bool End(AgentTurn turn, AgentTranscript? transcript)
    {
        transcript?.Said(Steps, string.Concat(turn.Updates.Where(update => update.Role != ChatRole.Tool).Select(update => update.Text)));
        if (Exhausted is not null || !turn.Calls.Any()) return false;
        History.AddRange(turn.Updates.ToChatResponse().Messages);
        if (Steps >= config.MaxSteps) Exhausted = $"{config.MaxSteps} steps are the most (maxSteps)";
        else if (config.MaxTokens > 0 && Taken >= config.MaxTokens) Exhausted = $"{config.MaxTokens} tokens are the most (maxTokens)";
        return Exhausted is null;
    }

    public void Dispose() => time.Dispose();

    private long Taken => (Usage.InputTokenCount ?? 0) + (Usage.OutputTokenCount ?? 0);
}
