using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Artifacts;
using PluginHost.Config;
using PluginHost.Runs.Chat;
using PluginHost.Sdk;
using PluginHost.Serve;
using PluginHost.Tools.Schemas;

namespace PluginHost.Bench;

/// <summary>
/// Asks a trained run the held-out requests of its own source and looks at what it calls: the splits <c>test</c> and, for functions that training never has, <c>unseen</c>. The model is
/// served as <c>serve</c> does, greedily, and is free to call nothing.
/// </summary>
internal sealed class ToolsBench(HostConfig host, RunFolder run, int requests, TextWriter output, CancellationToken cancellation)
{
    private const string Unseen = "unseen";
    private const int MostTokens = 200;

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
        var functions = turn.Tools.OfType<AIFunctionDeclaration>().Select(tool => new Trivial(tool)).ToList();
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = MostTokens, Tools = [.. functions] };
        var (call, called) = ((FunctionCallContent?)null, 0L);
        await foreach (var update in chat.GetStreamingResponseAsync([new ChatMessage(ChatRole.User, turn.Prompt)], options, cancellation))
            if (call is null && update.Contents.OfType<FunctionCallContent>().FirstOrDefault() is { } first) (call, called) = (first, Stopwatch.GetTimestamp());
        var overhead = functions.Find(function => function.Name == call?.Name) is { } known ? await Dispatched(known, call!, called) : (double?)null;
        var right = CallReader.ReadAll(turn.Answer).OfType<FunctionCallContent>().FirstOrDefault() ?? throw new UserErrorException($"the source's answer '{turn.Answer}' is no call of a function");
        var arguments = call is null ? null : JsonSerializer.SerializeToNode(call.Arguments, AIJsonUtilities.DefaultOptions)!.AsObject();
        var schema = functions.Find(function => function.Name == call?.Name)?.JsonSchema;
        var valid = schema is { } asked && IsValid(ToolSchema.Read(asked), JsonSerializer.SerializeToElement(arguments));
        var copied = JsonNode.DeepEquals(arguments, JsonSerializer.SerializeToNode(right.Arguments, AIJsonUtilities.DefaultOptions));
        return new ToolRequestFigures(right.Name, call?.Name, valid, call?.Name == right.Name && copied, overhead);
    }

    // As the registry of tools judges it.
    private static bool IsValid(ToolSchema schema, JsonElement arguments)
    {
        try
        {
            schema.Complete(arguments);
            return true;
        }
        catch (UserErrorException)
        {
            return false;
        }
    }

    // Milliseconds since the call's last token: the end of the answer, which is waited for, is in it.
    private async Task<double> Dispatched(Trivial function, FunctionCallContent call, long called)
    {
        await function.InvokeAsync(new AIFunctionArguments(call.Arguments), cancellation);
        return Stopwatch.GetElapsedTime(called).TotalMilliseconds;
    }

    private sealed class Trivial(AIFunctionDeclaration declared) : AIFunction
    {
        public override string Name => declared.Name;

        public override string Description => declared.Description;

        public override JsonElement JsonSchema => declared.JsonSchema;

        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => ValueTask.FromResult<object?>("done");
    }
}
