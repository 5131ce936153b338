using System.Diagnostics;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Profiling;

/// <summary>
/// Follows a micro-batch through the graph and back: the clock changes hands when a value enters or leaves a node, and when a gradient
/// reaches what a node gave. Counts the products on the way. One thread at a time uses it.
/// </summary>
internal sealed class MicroBatchTrace : INodeBoundary, IArithmetic, IDisposable
{
    private static readonly IArithmetic Plain = new PlainArithmetic();

    private readonly TrainingProfile profile;
    private readonly IArithmetic arithmetic;
    private readonly INodeBoundary? boundary;
    private readonly long began = Stopwatch.GetTimestamp();
    private NodeTicks? current;
    private string objective = "";
    private bool backward;
    private long since;

    public MicroBatchTrace(TrainingProfile profile, IArithmetic? arithmetic, INodeBoundary? boundary) =>
        (this.profile, this.arithmetic, this.boundary) = (profile, arithmetic ?? Plain, boundary);

    public Dictionary<string, NodeTicks> Nodes { get; } = [];

    public HashSet<MatrixShape> Shapes { get; } = [];

    /// <summary>Ticks from its beginning to its end.</summary>
    public long Busy { get; private set; }

    object? INodeBoundary.Enter(ExecutionStep step, int input, object? value)
    {
        if (boundary is not null) value = boundary.Enter(step, input, value);
        HandTo(NodeOf(step.Name));
        return value;
    }

    object? INodeBoundary.Leave(ExecutionStep step, int output, object? value)
    {
        HandTo(null);
        profile.SampleMemory();
        if (boundary is not null) value = boundary.Leave(step, output, value);
        return value switch
        {
            Tensor { requires_grad: true } tensor => Marked(step.Plan.Description.Kind == "decoder", tensor, step.Name),
            Masked { Data.requires_grad: true } masked => masked with { Data = Marked(false, masked.Data, step.Name) },
            _ => value,
        };
    }

    /// <summary>An objective begins.</summary>
    public void EnterObjective(string name)
    {
        objective = $"objectives.{name}";
        HandTo(NodeOf(objective));
    }

    /// <summary>It has come to its loss, whose gradient's way back is the objective's.</summary>
    public Tensor LeaveObjective(Tensor loss)
    {
        HandTo(null);
        profile.SampleMemory();
        return loss.requires_grad ? Marked(true, loss, objective) : loss;
    }

    /// <summary>The backward pass begins.</summary>
    public void EnterBackward()
    {
        backward = true;
        profile.SampleMemory();
    }

    /// <summary>The backward pass has ended.</summary>
    public void LeaveBackward() => HandTo(null);

    public Tensor Linear(Tensor input, Tensor weight)
    {
        var shape = new MatrixShape(input.numel() / weight.size(1), weight.size(1), weight.size(0));
        Shapes.Add(shape);
        Count(shape.Operations, input, weight);
        return arithmetic.Linear(input, weight);
    }

    public Tensor Attention(Tensor query, Tensor keys, Tensor values, Tensor? mask, bool causal)
    {
        var pairs = causal ? query.size(2) * (query.size(2) + 1) / 2 : query.size(2) * keys.size(2);
        var products = 2.0 * query.size(0) * query.size(1) * pairs * query.size(3);
        Count(products, query, keys);    // scores
        Count(products, query, values);  // their weighted sum: the scores want a gradient when the queries do
        return arithmetic.Attention(query, keys, values, mask, causal);
    }

    /// <summary>Ends it, and adds it to the profile.</summary>
    public void Dispose()
    {
        HandTo(null);
        Busy = Stopwatch.GetTimestamp() - began;
        profile.Add(this);
    }

    private void Count(double operations, Tensor left, Tensor right)
    {
        // A layer that is computed again in the backward pass has been counted.
        if (!backward && current is not null) current.Operations += operations * (1 + (left.requires_grad ? 1 : 0) + (right.requires_grad ? 1 : 0));
    }

    private NodeTicks NodeOf(string name)
    {
        if (!Nodes.TryGetValue(name, out var node)) Nodes[name] = node = new NodeTicks(Nodes.Count);
        return node;
    }

    private void HandTo(NodeTicks? next)
    {
        var now = Stopwatch.GetTimestamp();
        if (current is not null && backward) current.Backward += now - since;
        else if (current is not null) current.Forward += now - since;
        (current, since) = (next, now);
    }

    // Whoever takes a decoder's logits or a loss is the last to want them: a second handle would only keep their memory.
    private Tensor Marked(bool last, Tensor value, string node)
    {
        // libtorch and TorchSharp hold handles and copies of what a function gave: they go at once, not with the micro-batch.
        using var scope = NewDisposeScope();
        var marked = Mark.apply([value, this, node]).MoveToOuterDisposeScope();
        if (last) value.Dispose();
        return marked;
    }

    /// <summary>Passes value and gradient on as they are, and hands the clock over when the gradient comes by.</summary>
    private sealed class Mark : GuardedFunction<Mark>
    {
        private const string Trace = "Trace";
        private const string Node = "Node";

        public override string Name => nameof(Mark);

        protected override Tensor Forward(autograd.AutogradContext context, object[] inputs)
        {
            context.save_data(Trace, inputs[1]);
            context.save_data(Node, inputs[2]);
            return ((Tensor)inputs[0]).alias();
        }

        protected override List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient)
        {
            var trace = (MicroBatchTrace)context.get_data(Trace);
            trace.HandTo(trace.NodeOf((string)context.get_data(Node)));
            trace.profile.SampleMemory();
            return [gradient.alias(), null, null];
        }
    }

    private sealed class PlainArithmetic : IArithmetic
    {
        public Tensor Linear(Tensor input, Tensor weight) => nn.functional.linear(input, weight);
    }
}
