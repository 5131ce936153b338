using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training.Precision;

/// <summary>
/// Loss scaling (Micikevicius et al. 2018) for fp16, with a scale for each node: a gradient is multiplied when it enters a node from behind
/// and divided when it leaves it for the nodes before. Inside, small gradients do not vanish; outside, all is fp32 and unscaled. What
/// overflows in one modality's encoder so lowers the scale of that encoder alone. Nodes that a fusion context joins share a scale.
/// </summary>
internal sealed class GradientScales : INodeBoundary, IDisposable
{
    /// <summary>Below it no scale can help: the gradients themselves overflow.</summary>
    public const double Smallest = 1;

    private readonly LossScaleConfig config;
    private readonly Dictionary<string, string> groups;
    private readonly SortedDictionary<string, Tensor> states = new(StringComparer.Ordinal);

    public GradientScales(GraphPlan plan, LossScaleConfig config)
    {
        this.config = config;
        groups = Groups(plan);
        foreach (var group in groups.Values.Distinct()) states[group] = tensor(new[] { config.Initial, 0 }).DetachFromDisposeScope();
    }

    /// <summary>Scale and steps without overflow by group, float64 [2]; in use.</summary>
    public IEnumerable<(string Name, Tensor Value)> Tensors() => states.Select(state => (state.Key, state.Value));

    /// <summary>The scale of a node; 1 for what is none, such as an objective.</summary>
    public double Of(string node) => groups.TryGetValue(node, out var group) ? states[group].data<double>()[0] : 1;

    /// <summary>The scale of a parameter's gradient, by the node that its name begins with.</summary>
    public double OfParameter(string name) => Of(name[..Math.Max(0, name.IndexOf('.', StringComparison.Ordinal))]);

    object? INodeBoundary.Enter(ExecutionStep step, int input, object? value) => Scaled(value, 1 / Of(step.Name));

    object? INodeBoundary.Leave(ExecutionStep step, int output, object? value) => Scaled(value, Of(step.Name));

    /// <summary>After a step without overflow: now and then the scales grow.</summary>
    public void Grow()
    {
        foreach (var state in states.Values.Select(state => state.data<double>()))
            if (++state[1] >= config.Interval) (state[0], state[1]) = (state[0] * 2, 0);
    }

    /// <summary>After a step that overflowed: halves the scales of the nodes concerned.</summary>
    /// <returns>Whether that can help.</returns>
    public bool BackOff(IEnumerable<string> parameters)
    {
        var helps = true;
        foreach (var group in parameters.Select(name => name[..name.IndexOf('.', StringComparison.Ordinal)]).Select(node => groups.GetValueOrDefault(node)).Distinct())
        {
            if (group is null) return false; // an objective's own parameter: nothing there is scaled
            var state = states[group].data<double>();
            (state[0], state[1]) = (state[0] / 2, 0);
            helps &= state[0] >= Smallest;
        }
        return helps;
    }

    public void Dispose()
    {
        foreach (var state in states.Values) state.Dispose();
    }

    private static Dictionary<string, string> Groups(GraphPlan plan)
    {
        var groups = plan.Nodes.ToDictionary(node => node.Name, node => node.Name);
        foreach (var node in plan.Nodes)
            foreach (var input in node.Inputs.Where(input => input.Shape.Structure == Catalog.Ports.PortStructure.Fusion && input.Source is not null))
            {
                var (former, joined) = (groups[input.Source!.Split('.')[0]], groups[node.Name]);
                foreach (var name in groups.Where(pair => pair.Value == former).Select(pair => pair.Key).ToArray()) groups[name] = joined;
            }
        return groups;
    }

    private static object? Scaled(object? value, double factor) => value switch
    {
        Tensor { requires_grad: true } tensor => ScaledGradient.apply([tensor, factor]),
        Masked { Data.requires_grad: true } masked => masked with { Data = ScaledGradient.apply([masked.Data, factor]) },
        _ => value,
    };

    /// <summary>Passes values on as they are, and gradients multiplied.</summary>
    private sealed class ScaledGradient : GuardedFunction<ScaledGradient>
    {
        public override string Name => nameof(ScaledGradient);

        protected override Tensor Forward(autograd.AutogradContext context, object[] inputs)
        {
            context.save_data(Name, inputs[1]);
            return ((Tensor)inputs[0]).alias();
        }

        protected override List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient) => [gradient * (double)context.get_data(Name), null];
    }
}
