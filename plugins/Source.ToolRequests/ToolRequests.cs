using System.Globalization;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Source.ToolRequests;

/// <summary>The open source; each sample is made when it is read, from split and index alone.</summary>
internal sealed class ToolRequests(ToolRequestsOptions options) : ISource
{
    /// <summary>Requests for functions that are never offered in training.</summary>
    public const string Unseen = "unseen";

    // Short lists teach sooner what long ones need.
    private const double Short = 0.5;

    // Made-up functions teach to read, the scenes' what requests mean.
    private const double Scenes = 0.45;

    // Most functions of a conversation, which is longer than a request.
    private const int MostOfAnswer = 5;

    // How often a made-up function is nearly the right one.
    private const double Nearly = 0.35;

    // How often a result has the marks that an agent puts around what it was given; they are no part of the answer.
    private const double Marked = 0.75;

    public IReadOnlyList<string> Splits { get; } = [PluginHost.Sdk.Splits.Train, PluginHost.Sdk.Splits.Validation, PluginHost.Sdk.Splits.Test, Unseen];

    public string Fingerprint => string.Create(CultureInfo.InvariantCulture, $"tool-requests 6, {options.Train}, {options.Held}, {options.Tools}");

    public int Count(string split) => split == PluginHost.Sdk.Splits.Train ? options.Train : Splits.Contains(split) ? options.Held : 0;

    public Sample Read(string split, int index)
    {
        var random = new Random(Seed(split, index));
        var learning = split is PluginHost.Sdk.Splits.Train or PluginHost.Sdk.Splits.Validation;
        var offered = learning ? Drawn(random) : [.. SceneTools.Seen.Select(tool => tool.Plain()), .. SceneTools.Unseen.Select(tool => tool.Plain())];
        var right = learning ? 0 : split == Unseen ? SceneTools.Seen.Count + index % SceneTools.Unseen.Count : index % SceneTools.Seen.Count;
        var tool = offered[right];
        var (request, arguments) = tool.Ask(random, held: !learning);
        var order = offered.ToArray();
        random.Shuffle(order);
        AITool[] tools = [.. order.Select(AITool (other) => other.Declared())];
        var call = new Turn("call", request, CallText.Call(tool.Name, arguments)) { Tools = tools };
        if (!learning) return new Sample($"{split}-{index}") { Turns = [call] };
        var names = string.Join(' ', Enumerable.Range(0, random.Next(2, 5)).Select(_ => MadeTool.Of(MadeTool.Task(random), random).Name));
        List<Turn> turns = [call, new Turn("name", request, tool.Name) { Tools = tools }, new Turn("repeat", names, names)];
        var result = Result(random);
        var given = random.NextDouble() < Marked ? CallText.Untrusted(result) : result;
        if (tools.Length <= MostOfAnswer) turns.Add(new Turn("answer", $"{request}\n{call.Answer}\n{CallText.Result(given)}", result) { Tools = tools });
        return new Sample($"{split}-{index}") { Turns = turns };
    }

    public void Dispose()
    {
        // holds nothing
    }

    private static string Result(Random random) => random.Next(4) switch
    {
        0 => Words.Any(["done", "ok", "yes", "no"], random),
        1 => random.Next(1000).ToString(CultureInfo.InvariantCulture),
        _ => string.Join(' ', Enumerable.Range(0, random.Next(1, 4)).Select(_ => MadeTool.Nonsense(random))),
    };

    // Generators of seeds that are close begin alike (System.Random), and requests would repeat: SplitMix64's finalizer spreads them.
    private int Seed(string split, int index)
    {
        var x = unchecked(((ulong)index * 4 + (ulong)Splits.ToList().IndexOf(split) + 1) * 0x9E3779B97F4A7C15);
        x = unchecked((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9);
        x = unchecked((x ^ (x >> 27)) * 0x94D049BB133111EB);
        return (int)((x ^ (x >> 31)) & int.MaxValue);
    }

    // The first is the right one. No two have a name in common.
    private List<OfferedTool> Drawn(Random random)
    {
        var count = random.NextDouble() < Short ? 2 + random.Next(2) : random.Next(2, options.Tools + 1);
        var scenes = SceneTools.Seen.ToArray();
        random.Shuffle(scenes);
        var left = new Queue<SceneTool>(scenes);
        var drawn = new List<OfferedTool>();
        // From none of the scenes' to all of them among the wrong ones: a new function is also to be found among many that are known.
        var others = random.NextDouble();
        (string, string)? right = null;
        while (drawn.Count < Math.Min(count, options.Tools))
        {
            var tool = left.Count > 0 && random.NextDouble() < (drawn.Count == 0 ? Scenes : others) ? left.Dequeue().Varied(random) : Made(drawn.Count == 0);
            if (drawn.TrueForAll(other => other.Name != tool.Name)) drawn.Add(tool);
        }
        return drawn;

        OfferedTool Made(bool first)
        {
            var task = right is { } asked && random.NextDouble() < Nearly ? MadeTool.Near(asked, random) : MadeTool.Task(random);
            if (first) right = task;
            return MadeTool.Of(task, random);
        }
    }
}
