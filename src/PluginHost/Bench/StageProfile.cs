using System.Text.Json.Nodes;
using PluginHost.Commands;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Runs.Profiling;

namespace PluginHost.Bench;

/// <summary>Where the steps of a stage spent time and memory: <c>pluginhost run --profile</c>.</summary>
/// <param name="Stage">Name of the stage.</param>
/// <param name="Figures">What was measured.</param>
/// <param name="Ceiling">Operations a second of the best matrix product here and now.</param>
/// <param name="Memory">Bytes at the peak by kind, in order.</param>
internal sealed record StageProfile(string Stage, ProfileFigures Figures, double Ceiling, IReadOnlyList<(string Kind, long Bytes)> Memory)
{
    private const int Warmup = 3;
    private const int Repetitions = 3;

    private double Model => Figures.Operations / Figures.Seconds;

    /// <summary>What measures a stage; the peak of memory begins anew.</summary>
    public static TrainingProfile Begin(StageConfig stage)
    {
        ProcessMemory.ResetPeak();
        return new TrainingProfile(Math.Min(Warmup, stage.Steps - 1));
    }

    /// <summary>The profile of a stage that has just ended.</summary>
    public static StageProfile Of(string stage, ProfileFigures figures, ExecutableGraph graph)
    {
        var peak = ProcessMemory.Peak;
        var ceiling = figures.Shapes.OrderByDescending(shape => shape.Operations).Take(8).Append(MatrixShape.Square)
            .Max(shape => Enumerable.Range(0, Repetitions).Max(_ => shape.Measure()));
        var parameters = graph.Parameters.Sum(parameter => parameter.Value.numel() * parameter.Value.element_size());
        (string, long)[] known = [("parameters", parameters), ("gradients", parameters), ("optimizer", 2 * parameters), ("activations", figures.Activations ?? 0)];
        return new StageProfile(stage, figures, ceiling, [.. known, ("rest", Math.Max(0, peak - known.Sum(kind => kind.Item2)))]);
    }

    public void Write(TextWriter output)
    {
        output.WriteLine($"stage {Stage}: where a step's {FigureText.Number(Figures.Seconds / Figures.Steps * 1e3)} ms go (mean of {Figures.Steps} steps)");
        var table = new TextTable("part", "forward", "backward", "of the step", "GFLOP/s");
        foreach (var node in Figures.Nodes)
            table.Add(node.Name, Milliseconds(node.Forward), Milliseconds(node.Backward), Share(node.Forward + node.Backward),
                node.Operations > 0 ? FigureText.Number(node.Operations / (node.Forward + node.Backward) / 1e9) : "");
        table.Add("optimizer", "", "", Share(Figures.Optimizer), "");
        table.Add("waiting for data", "", "", Share(Figures.DataWait), "");
        table.Add("boundary, graph, bookkeeping", "", "", Share(Figures.Rest), "");
        table.Write(output);
        output.WriteLine($"arithmetic: {FigureText.Number(Model / 1e9)} of {FigureText.Number(Ceiling / 1e9)} GFLOP/s that a matrix product reaches here ({FigureText.Share(Model / Ceiling)})");
        output.WriteLine($"memory at the peak: {string.Join(", ", Memory.Select(kind => $"{kind.Kind} {FigureText.Size(kind.Bytes)}"))}");
    }

    public JsonObject ToJson() => new()
    {
        ["stage"] = Stage,
        ["steps"] = Figures.Steps,
        ["stepMs"] = Math.Round(Figures.Seconds / Figures.Steps * 1e3, 3),
        ["nodes"] = new JsonArray([.. Figures.Nodes.Select(node => new JsonObject
        {
            ["name"] = node.Name,
            ["forwardShare"] = Part(node.Forward),
            ["backwardShare"] = Part(node.Backward),
            ["gflopPerStep"] = Math.Round(node.Operations / Figures.Steps / 1e9, 6),
        })]),
        ["optimizerShare"] = Part(Figures.Optimizer),
        ["dataWaitShare"] = Part(Figures.DataWait),
        ["boundaryShare"] = Part(Figures.Rest),
        ["gemmGflops"] = Math.Round(Ceiling / 1e9, 2),
        ["modelGflops"] = Math.Round(Model / 1e9, 2),
        ["utilisation"] = Math.Round(Model / Ceiling, 4),
        ["memoryMb"] = new JsonObject([.. Memory.Select(kind => KeyValuePair.Create(kind.Kind, (JsonNode?)Math.Round(kind.Bytes / 1048576.0, 1)))]),
    };

    private double Part(double seconds) => Math.Round(seconds / Figures.Seconds, 5);

    private string Milliseconds(double seconds) => FigureText.Number(seconds / Figures.Steps * 1e3) + " ms";

    private string Share(double seconds) => FigureText.Share(seconds / Figures.Seconds);
}
