using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using PluginHost.Config;
using PluginHost.Tools.Calls;
using PluginHost.Tools.Registry;

namespace PluginHost.Tools.Agents;

/// <summary>
/// One answer of the model and the calls that it makes. Microsoft's <see cref="FunctionInvokingChatClient"/> reads and makes the calls, and is begun anew for each turn: its tools are those of that moment.
/// </summary>
internal sealed class AgentTurn(IChatClient model, ToolRegistry registry, IReadOnlyList<string> allowed, PassageMarks marks)
{
    private readonly Dictionary<string, ToolOutcome> outcomes = [];

    /// <summary>Everything that came, in order.</summary>
    public List<ChatResponseUpdate> Updates { get; } = [];

    /// <summary>The calls that the model made.</summary>
    public IEnumerable<FunctionCallContent> Calls => Updates.SelectMany(update => update.Contents).OfType<FunctionCallContent>();

    /// <summary>What came of a call.</summary>
    public ToolOutcome Outcome(string call) => outcomes[call];

    /// <summary>Takes the turn; each update comes when it is there, each result as a message of the tool.</summary>
    public async IAsyncEnumerable<ChatResponseUpdate> TakeAsync(IReadOnlyList<ChatMessage> history, ChatOptions options, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var tools = registry.Ready.Where(tool => Allows(tool.Name)).Select(tool => new AgentTool(tool)).ToList();
        options.Tools = tools.Count > 0 ? [.. tools] : null;
        using var invoking = new FunctionInvokingChatClient(new Borrowed(model))
        {
            MaximumIterationsPerRequest = 1,
            TerminateOnUnknownCalls = true,
            FunctionInvoker = InvokeAsync,
        };
        await foreach (var update in invoking.GetStreamingResponseAsync(history, options, cancellation).ConfigureAwait(false))
        {
            Updates.Add(update);
            yield return update;
        }
        // A call of something that is not there leaves its turn unanswered.
        var answered = Updates.SelectMany(update => update.Contents).OfType<FunctionResultContent>().Select(result => result.CallId).ToHashSet();
        foreach (var call in Calls.Where(call => !answered.Contains(call.CallId)).ToList())
        {
            var outcome = outcomes[call.CallId] = tools.Find(tool => tool.Name == call.Name) is { } tool
                ? marks.Numbered(await tool.CallAsync(call, cancellation).ConfigureAwait(false))
                : new ToolOutcome(ToolStatus.Invalid, $"there is no tool '{call.Name}'{NearestName.Suggestion(call.Name, tools.Select(known => known.Name))}");
            var update = new ChatResponseUpdate(ChatRole.Tool, [new FunctionResultContent(call.CallId, AgentTool.Marked(outcome))]);
            Updates.Add(update);
            yield return update;
        }
    }

    private async ValueTask<object?> InvokeAsync(FunctionInvocationContext context, CancellationToken cancellation)
    {
        var outcome = outcomes[context.CallContent.CallId] = marks.Numbered(await ((AgentTool)context.Function).CallAsync(context.CallContent, cancellation).ConfigureAwait(false));
        context.Terminate = context.FunctionCallIndex == context.FunctionCount - 1;
        return AgentTool.Marked(outcome);
    }

    private bool Allows(string name) => allowed.Any(pattern => pattern.EndsWith('*') ? name.StartsWith(pattern[..^1], StringComparison.Ordinal) : name == pattern);

    // The turn ends, the model stays.
    private sealed class Borrowed(IChatClient inner) : DelegatingChatClient(inner)
    {
        protected override void Dispose(bool disposing)
        {
            // it is somebody else's
        }
    }
}
