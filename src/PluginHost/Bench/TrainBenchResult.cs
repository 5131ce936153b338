using System.Text.Json.Nodes;
using PluginHost.Commands;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Runs.Profiling;

namespace PluginHost.Bench;

/// <summary>What <c>pluginhost bench train</c> found; on the most threads last.</summary>
internal sealed record TrainBenchResult(string Project, StageConfig Stage, IReadOnlyList<ThreadFigures> Threads, MemoryFigures Memory)
{
    private const string Convention =
        "linear maps and attention, forward and twice that backward; causal attention counts the half that is not hidden; no recomputation, no convolutions";

    /// <summary>The report.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["project"] = Project, ["batch"] = Stage.Batch, ["accumulate"] = Stage.Accumulate, ["flopConvention"] = Convention };
        foreach (var (name, value) in Json(Threads[^1])) json[name] = value?.DeepClone();
        json["residentSlopeKbPerStep"] = Math.Round(Memory.SlopeBytesPerStep / 1024, 2);
        foreach (var (name, value) in Memory.ToJson()) json[name] = value?.DeepClone();
        json["threads"] = new JsonArray([.. Threads.Select(Json)]);
        return json;
    }

    public void Write(TextWriter output)
    {
        output.WriteLine();
        var table = new TextTable(["", .. Threads.Select(item => $"{item.Threads} thread{(item.Threads > 1 ? "s" : "")}")]);
        void Row(string name, Func<ThreadFigures, string> cell) => table.Add([name, .. Threads.Select(cell)]);
        Row("fp32 matrix product, GFLOP/s", item => FigureText.Number(item.Gemm / 1e9));
        Row("model, GFLOP/s", item => FigureText.Number(item.Model / 1e9));
        Row("utilisation", item => FigureText.Share(item.Utilisation));
        Row("step, ms", item => FigureText.Number(item.Step * 1e3));
        Row("tokens/s", item => FigureText.Number(item.HostTokens));
        Row("tokens/s, straight TorchSharp", item => item.StraightTokens is { } tokens ? $"{FigureText.Number(tokens)} ({FigureText.Times(item.HostTokens / tokens)})" : "none to compare");
        foreach (var i in Enumerable.Range(0, Threads[0].Nodes.Count))
        {
            Row($"{Threads[0].Nodes[i].Name} forward", item => FigureText.Share(item.Nodes[i].Forward / item.Step));
            Row($"{Threads[0].Nodes[i].Name} backward", item => FigureText.Share(item.Nodes[i].Backward / item.Step));
        }
        Row("optimizer, with clipping", item => FigureText.Share(item.OptimizerShare));
        Row("AdamW against TorchSharp's", item => item.AdamWSpeedup is { } speedup ? FigureText.Times(speedup) : "none to compare");
        Row("waiting for data", item => FigureText.Share(item.DataWaitShare));
        Row("boundary, graph, bookkeeping", item => FigureText.Share(item.BoundaryShare));
        table.Write(output);
        output.WriteLine();
        output.WriteLine(Memory.ToString());
    }

    private static JsonObject Json(ThreadFigures item) => new()
    {
        ["threadCount"] = item.Threads,
        ["gemmGflops"] = Math.Round(item.Gemm / 1e9, 2),
        ["modelGflops"] = Math.Round(item.Model / 1e9, 2),
        ["utilisation"] = Math.Round(item.Utilisation, 4),
        ["straightTokensPerSecond"] = item.StraightTokens is { } tokens ? Math.Round(tokens, 1) : null,
        ["hostTokensPerSecond"] = Math.Round(item.HostTokens, 1),
        ["speedup"] = item.StraightTokens is { } straight ? Math.Round(item.HostTokens / straight, 3) : null,
        ["stepMs"] = Math.Round(item.Step * 1e3, 2),
        ["optimizerShare"] = Math.Round(item.OptimizerShare, 5),
        ["adamwSpeedup"] = item.AdamWSpeedup is { } speedup ? Math.Round(speedup, 2) : null,
        ["dataWaitShare"] = Math.Round(item.DataWaitShare, 5),
        ["boundaryShare"] = Math.Round(item.BoundaryShare, 5),
        ["nodes"] = new JsonArray([.. item.Nodes.Select(node => new JsonObject
        {
            ["name"] = node.Name,
            ["forwardShare"] = Math.Round(node.Forward / item.Step, 5),
            ["backwardShare"] = Math.Round(node.Backward / item.Step, 5),
            ["gflopPerStep"] = Math.Round(node.Operations / 1e9, 6),
        })]),
    };
}
