using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Artifacts;
using PluginHost.Config;
using PluginHost.Runs.Chat;
using PluginHost.Sdk;
using PluginHost.Serve;

namespace PluginHost.Bench;

/// <summary>
/// Asks a trained run the held-out requests of its own source and looks at what it calls: the splits <c>test</c> and, for functions that training never has, <c>unseen</c>. The model is
/// served as <c>serve</c> does, greedily, and is free to call nothing.
/// </summary>
internal sealed class ToolsBench(HostConfig host, RunFolder run, int requests, TextWriter output, CancellationToken cancellation)
{
    private const string Unseen = "unseen";

    /// <summary>Runs it.</summary>
    /// <exception cref="UserErrorException">The run writes no text, or its source has no held-out requests with functions.</exception>
    public async Task<ToolsBenchResult> RunAsync()
    {
        using var loaded = new LoadedRun(Path.GetFileName(run.Path), run, host, NullLoggerFactory.Instance, cancellation);
        var chat = loaded.Chat ?? throw new UserErrorException($"{run.Path}: its graph writes no text, so it calls nothing");
        var source = loaded.Workspace.Data.Source;
        var seen = await Ask(chat, source, Splits.Test);
        if (seen.Count == 0) throw new UserErrorException($"{run.Path}: the split 'test' of its source has no requests with functions to call; source.tool-requests has");
        return new ToolsBenchResult(loaded.Workspace.Project.Name, seen, await Ask(chat, source, Unseen));
    }

    private async Task<List<ToolRequestFigures>> Ask(GraphChatClient chat, ISource source, string split)
    {
        var figures = new List<ToolRequestFigures>();
        if (!source.Splits.Contains(split)) return figures;
        for (var index = 0; index < source.Count(split) && figures.Count < requests; index++)
            foreach (var turn in source.Read(split, index).Turns.Where(turn => turn.Tools.Count > 0))
            {
                figures.Add(await Ask(chat, turn));
                if (figures[^1].Called != figures[^1].Right) output.WriteLine($"  {split} {index}: '{turn.Prompt}' called {figures[^1].Called ?? "nothing"}, not {figures[^1].Right}");
            }
        return figures;
    }

    private async Task<ToolRequestFigures> Ask(GraphChatClient chat, Turn turn)
    {
        var stamped = new Stamped(chat);
        using var calling = new FunctionInvokingChatClient(stamped, NullLoggerFactory.Instance);
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 200, Tools = [.. turn.Tools.OfType<AIFunctionDeclaration>().Select(tool => new Trivial(tool))] };
        var (call, overhead) = ((FunctionCallContent?)null, (double?)null);
        await foreach (var update in calling.GetStreamingResponseAsync([new ChatMessage(ChatRole.User, turn.Prompt)], options, cancellation))
        {
            call ??= update.Contents.OfType<FunctionCallContent>().FirstOrDefault();
            if (!update.Contents.OfType<FunctionResultContent>().Any()) continue;
            overhead = Stopwatch.GetElapsedTime(stamped.Called).TotalMilliseconds;
            break; // what the model says to the result is not asked
        }
        var right = CallReader.ReadAll(turn.Answer).OfType<FunctionCallContent>().FirstOrDefault() ?? throw new UserErrorException($"the source's answer '{turn.Answer}' is no call of a function");
        var arguments = call is null ? null : JsonSerializer.SerializeToNode(call.Arguments, AIJsonUtilities.DefaultOptions)!.AsObject();
        var schema = turn.Tools.OfType<AIFunctionDeclaration>().FirstOrDefault(tool => tool.Name == call?.Name)?.JsonSchema;
        var valid = schema is { } known && JsonSchema.FromText(known.GetRawText()).Evaluate(arguments).IsValid;
        var copied = JsonNode.DeepEquals(arguments, JsonSerializer.SerializeToNode(right.Arguments, AIJsonUtilities.DefaultOptions));
        return new ToolRequestFigures(right.Name, call?.Name, valid, call?.Name == right.Name && copied, overhead);
    }

    /// <summary>Notes when the call's last token has come.</summary>
    private sealed class Stamped(IChatClient inner) : DelegatingChatClient(inner)
    {
        public long Called { get; private set; }

        public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await foreach (var update in base.GetStreamingResponseAsync(messages, options, cancellationToken))
            {
                if (Called == 0 && update.Contents.Any(content => content is FunctionCallContent)) Called = Stopwatch.GetTimestamp();
                yield return update;
            }
        }
    }

    private sealed class Trivial(AIFunctionDeclaration declared) : AIFunction
    {
        public override string Name => declared.Name;

        public override string Description => declared.Description;

        public override JsonElement JsonSchema => declared.JsonSchema;

        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => ValueTask.FromResult<object?>("done");
    }
}
