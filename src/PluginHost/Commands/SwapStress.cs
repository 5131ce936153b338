using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using PluginHost.Catalog;
using PluginHost.Graph;
using PluginHost.Runs.Generation;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Commands;

/// <summary>
/// Swaps a project's fusion again and again while callers generate, and counts what goes wrong. Every version gets weights of
/// its own, and what it says to a fixed question under a fixed seed is written down before it is published: an answer that no single
/// version would give mixes versions.
/// </summary>
internal sealed class SwapStress(Workspace workspace, int swaps, int callers, TextWriter output, CancellationToken cancellation)
{
    private const int WarmSwaps = 10;
    private const string Question = "what is where?";
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);

    // Tokens drawn from a nearly flat distribution tell even small differences between versions.
    private static readonly Sampling Sampled = new(24, 1.0, 1.0, 7);

    private readonly ConcurrentDictionary<PluginDescription, string> expected = new(ReferenceEqualityComparer.Instance);
    private readonly string fusion = workspace.Plan.Nodes.FirstOrDefault(node => node.Description.Kind == "fusion")?.Name
        ?? throw new UserErrorException($"{workspace.Plan.Project.Path} has no node of kind 'fusion' to swap");
    private readonly Sample sample = workspace.Data.Load(workspace.Data.Source.Splits[0], 1, []).FirstOrDefault()
        ?? throw new UserErrorException($"{workspace.Plan.Project.Path} has no usable sample");
    private int version;

    /// <param name="Gaps">Between two tokens of one answer.</param>
    /// <param name="Firsts">From a question to the first token of its answer: reading the picture comes before it.</param>
    private sealed record Caller(List<(long From, long To)> Gaps, List<(long From, long To)> Firsts)
    {
        public int Answers { get; set; }

        public int Failed { get; set; }

        public int Wrong { get; set; }

        public string? FirstFailure { get; set; }
    }

    public async Task<JsonObject> RunAsync()
    {
        set_num_threads(1); // the callers fill the cores
        Remember();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var load = Enumerable.Range(0, callers).Select(_ => new Caller([], [])).ToList();
        var threads = load.Select(caller => PluginThreads.Run("caller", () => Call(caller, stop.Token))).ToList();
        var calmFrom = Stopwatch.GetTimestamp();
        await Task.Delay(Calm, cancellation);
        var calmTo = Stopwatch.GetTimestamp();

        var swap = new PluginSwap(workspace.Catalog, workspace.Graph, Admit);
        var windows = new List<(long From, long To)>();
        var (pinned, residentStart, shown) = (0, 0.0, Stopwatch.StartNew());
        for (var i = 1; i <= swaps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var from = Stopwatch.GetTimestamp();
            pinned += await Swap(swap);
            windows.Add((from, Stopwatch.GetTimestamp()));
            if (i == Math.Min(WarmSwaps, swaps)) residentStart = ResidentMegabytes();
            if (shown.Elapsed < ProgressInterval && i < swaps) continue;
            shown.Restart();
            output.WriteLine($"  swap {i}/{swaps}  {load.Sum(caller => caller.Answers):#,0} answers, {load.Sum(caller => caller.Failed)} failed, {load.Sum(caller => caller.Wrong)} of a wrong version, {pinned} pinned");
        }
        var residentEnd = ResidentMegabytes();
        await stop.CancelAsync();
        await Task.WhenAll(threads);
        return Report(load, windows, (calmFrom, calmTo), pinned, residentStart, residentEnd);
    }

    private async Task<int> Swap(PluginSwap swap)
    {
        var serving = workspace.Plan.Nodes.First(node => node.Name == fusion).Description;
        var report = await swap.SwapAsync(serving.Origin, Drain);
        expected.TryRemove(serving, out _);
        return report.Verdicts.Count(verdict => verdict.Outcome != UnloadOutcome.Unloaded);
    }

    // What the version before it learnt has been carried over; it gets a mark of its own.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Admit(ExecutableGraph graph)
    {
        version++;
        using (StepGate.Enter())
        using (no_grad())
        using (var generator = new Generator((ulong)version, CPU))
        using (NewDisposeScope())
            foreach (var (name, value) in graph.Parameters.Where(parameter => parameter.Name.StartsWith(fusion + ".", StringComparison.Ordinal)))
                value.copy_(randn(value.shape, generator: generator) * 0.2);
        Remember(graph);
    }

    private void Remember()
    {
        using var use = workspace.Graph.Acquire();
        Remember(use.Graph);
    }

    private void Remember(ExecutableGraph graph) =>
        expected[Served(graph)] = new TextGenerator(graph, workspace.Data).Answer([(sample, new Turn("", Question, ""))], [], Sampled)[0].Text;

    private PluginDescription Served(ExecutableGraph graph) => graph.Plan.Nodes.First(node => node.Name == fusion).Description;

    private void Call(Caller caller, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            try
            {
                CallOnce(caller);
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                caller.Failed++;
                caller.FirstFailure ??= error.Message;
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CallOnce(Caller caller)
    {
        var (last, waits) = (Stopwatch.GetTimestamp(), caller.Firsts);
        using var use = workspace.Graph.Acquire();
        var wanted = expected[Served(use.Graph)];
        var answer = new TextGenerator(use.Graph, workspace.Data).Stream(sample, Question, Sampled, _ =>
        {
            var now = Stopwatch.GetTimestamp();
            waits.Add((last, now));
            (last, waits) = (now, caller.Gaps);
        }, CancellationToken.None);
        caller.Answers++;
        if (answer != wanted) caller.Wrong++;
    }

    private JsonObject Report(List<Caller> load, List<(long From, long To)> windows, (long From, long To) calm, int pinned, double residentStart, double residentEnd)
    {
        var pauses = Pauses(load, windows);
        // The same measure without swaps: the longest of many waits is longer than most.
        var length = windows.Select(window => window.To - window.From).Order().ElementAt(windows.Count / 2);
        var calmWindows = Enumerable.Range(0, (int)Math.Max(1, (calm.To - calm.From) / length)).Select(i => (calm.From + i * length, Math.Min(calm.To, calm.From + (i + 1) * length)));
        var calmPauses = Pauses(load, [.. calmWindows]);
        var failure = load.Select(caller => caller.FirstFailure).FirstOrDefault(message => message is not null);
        return new JsonObject
        {
            ["swaps"] = windows.Count,
            ["callers"] = load.Count,
            ["answers"] = load.Sum(caller => caller.Answers),
            ["failedCalls"] = load.Sum(caller => caller.Failed),
            ["firstFailure"] = failure,
            ["wrongVersionAnswers"] = load.Sum(caller => caller.Wrong),
            ["pinned"] = pinned,
            ["swapP50Ms"] = Percentile([.. windows.Select(Milliseconds).Order()], 0.5),
            ["decodeStepP50Ms"] = Percentile(Within(load.SelectMany(caller => caller.Gaps), calm), 0.5),
            ["pauseP50Ms"] = Percentile(pauses, 0.5),
            ["pauseP99Ms"] = Percentile(pauses, 0.99),
            ["calmPauseP50Ms"] = Percentile(calmPauses, 0.5),
            ["calmPauseP99Ms"] = Percentile(calmPauses, 0.99),
            ["firstTokenP50Ms"] = Percentile(Within(load.SelectMany(caller => caller.Firsts), (windows[0].From, windows[^1].To)), 0.5),
            ["calmFirstTokenP50Ms"] = Percentile(Within(load.SelectMany(caller => caller.Firsts), calm), 0.5),
            ["residentStartMb"] = Math.Round(residentStart, 1),
            ["residentEndMb"] = Math.Round(residentEnd, 1),
        };
    }

    /// <summary>The longest wait of each caller in each window.</summary>
    private static List<double> Pauses(List<Caller> load, List<(long From, long To)> windows) =>
        [.. windows.SelectMany(window => load.Select(caller => caller.Gaps.Where(gap => gap.To >= window.From && gap.From <= window.To).Select(Milliseconds).DefaultIfEmpty().Max())).Order()];

    private static List<double> Within(IEnumerable<(long From, long To)> waits, (long From, long To) window) =>
        [.. waits.Where(wait => wait.From > window.From && wait.To < window.To).Select(Milliseconds).Order()];

    private static double Milliseconds((long From, long To) span) => Stopwatch.GetElapsedTime(span.From, span.To).TotalMilliseconds;

    private static double Percentile(List<double> ordered, double part) =>
        ordered.Count == 0 ? 0 : Math.Round(ordered[Math.Min(ordered.Count - 1, (int)(part * ordered.Count))], 2);

    private static double ResidentMegabytes()
    {
        StepGate.Collect();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64 / 1e6;
    }
}
