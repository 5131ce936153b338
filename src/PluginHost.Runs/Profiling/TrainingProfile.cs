using System.Diagnostics;
using PluginHost.Graph;
using PluginHost.Runs.Training.Precision;

namespace PluginHost.Runs.Profiling;

/// <summary>Measures a stage's steps while they run. Give it to the stage; take the figures between two steps.</summary>
/// <param name="warmup">Steps at the beginning that do not count: in them code is compiled and the heap grows.</param>
public sealed class TrainingProfile(int warmup = 0)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, NodeTicks> nodes = [];
    private readonly HashSet<MatrixShape> shapes = [];
    private int steps;
    private long whole;
    private long dataWait;
    private long optimizer;
    private long compute;
    private long busy;
    private long allocatedBefore;
    private long? activations;
    private int seen;

    /// <summary>What has been measured since this was last asked for.</summary>
    public ProfileFigures Take()
    {
        lock (gate)
        {
            // Micro-batches side by side are busy for longer than they take together.
            var together = busy == 0 ? 1 : (double)compute / busy;
            var figures = new ProfileFigures
            {
                Steps = steps,
                Seconds = Seconds(whole),
                DataWait = Seconds(dataWait),
                Optimizer = Seconds(optimizer),
                Nodes = [.. nodes.OrderBy(node => node.Value.Order).Select(node => new NodeFigures(
                    node.Key, Seconds(node.Value.Forward) * together, Seconds(node.Value.Backward) * together, node.Value.Operations))],
                Shapes = [.. shapes],
                Activations = activations,
            };
            (steps, whole, dataWait, optimizer, compute, busy, activations) = (0, 0, 0, 0, 0, 0, null);
            nodes.Clear();
            shapes.Clear();
            return figures;
        }
    }

    internal void BeginStep() => allocatedBefore = ProcessMemory.Allocated ?? 0;

    internal void EndStep(long began)
    {
        steps++;
        whole += Stopwatch.GetTimestamp() - began;
        if (seen++ < warmup) Take();
    }

    internal void AddDataWait(long began) => dataWait += Stopwatch.GetTimestamp() - began;

    internal void AddOptimizer(long began) => optimizer += Stopwatch.GetTimestamp() - began;

    internal void AddCompute(long began) => compute += Stopwatch.GetTimestamp() - began;

    /// <summary>Watches a micro-batch, in place of the stage's own boundary and arithmetic, which it asks in turn.</summary>
    internal MicroBatchTrace Watch(StagePrecision precision) => new(this, precision.Arithmetic, precision.Scales);

    /// <summary>Takes in a micro-batch that has ended.</summary>
    internal void Add(MicroBatchTrace trace)
    {
        lock (gate)
        {
            busy += trace.Busy;
            shapes.UnionWith(trace.Shapes);
            foreach (var (name, ticks) in trace.Nodes)
            {
                if (!nodes.TryGetValue(name, out var sum)) nodes[name] = sum = new NodeTicks(nodes.Count);
                sum.Forward += ticks.Forward;
                sum.Backward += ticks.Backward;
                sum.Operations += ticks.Operations;
            }
        }
    }

    /// <summary>Notes how much is allocated now.</summary>
    internal void SampleMemory()
    {
        if (ProcessMemory.Allocated is not { } now) return;
        lock (gate) activations = Math.Max(activations ?? 0, now - allocatedBefore);
    }

    private static double Seconds(long ticks) => (double)ticks / Stopwatch.Frequency;
}

/// <summary>Sums of a node, in ticks of the stopwatch.</summary>
internal sealed class NodeTicks(int order)
{
    public int Order => order;

    public long Forward { get; set; }

    public long Backward { get; set; }

    public double Operations { get; set; }
}
