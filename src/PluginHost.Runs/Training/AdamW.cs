using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>
/// AdamW with decoupled weight decay (Loshchilov and Hutter, 2019) over named parameters, so that its state can be saved and
/// carried over by name. Vectors (norms, biases, scales) are not decayed. A parameter without a gradient is left alone.
/// </summary>
public sealed class AdamW : IDisposable
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.98;
    private const double Epsilon = 1e-8;

    private readonly State[] states;

    /// <param name="parameters">By name; those that require no gradient are left alone.</param>
    /// <param name="group">The group that a name belongs to, an index into the rates of a step; null: all belong to group 0.</param>
    public AdamW(IEnumerable<(string Name, Parameter Value)> parameters, Func<string, int>? group = null) =>
        states = [.. parameters.Where(p => p.Value.requires_grad).Select(p => new State(p.Name, p.Value, group?.Invoke(p.Name) ?? 0))];

    /// <summary>A step of parameters that are all in group 0.</summary>
    public double Step(double rate, double decay, double clip) => Step([new GroupRate(rate, decay)], clip);

    /// <summary>Clips the gradients to a norm and takes one step; gradients are dropped afterwards. When the norm is not finite, no weight changes.</summary>
    /// <returns>The norm of all gradients before clipping.</returns>
    public double Step(IReadOnlyList<GroupRate> rates, double clip)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var active = Active();
        var norm = Norm(active);
        if (double.IsFinite(norm)) Update(active, rates, norm > clip ? clip / norm : 1);
        foreach (var state in active) state.Parameter.grad = null;
        return norm;
    }

    /// <summary>One step by the gradients as they are, which stay.</summary>
    public void Update(IReadOnlyList<GroupRate> rates)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Update(Active(), rates, 1);
    }

    /// <summary>Gradients of a loss, in the order of the parameters; parameters that it does not depend on have none. Theirs is whoever asked.</summary>
    /// <param name="loss">Scalar.</param>
    public IReadOnlyList<Tensor?> Gradients(Tensor loss)
    {
        var gradients = autograd.grad([loss], [.. states.Select(state => state.Parameter)], allow_unused: true);
        return [.. gradients.Select(gradient => gradient is null || gradient.IsInvalid ? null : gradient.DetachFromDisposeScope())];
    }

    /// <summary>Adds to the gradients of the next step, and takes over the tensors.</summary>
    public void Accumulate(IReadOnlyList<Tensor?> gradients)
    {
        using var _ = no_grad();
        foreach (var (state, gradient) in states.Zip(gradients))
        {
            if (gradient is null) continue;
            if (state.Parameter.grad is { } sum)
                using (sum) sum.add_(gradient);
            else
                state.Parameter.grad = gradient;
            gradient.Dispose();
        }
    }

    /// <summary>Divides the gathered gradients by their scales.</summary>
    /// <returns>The names of those that are not finite.</returns>
    public IReadOnlyList<string> Unscale(Func<string, double> scaleOf)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var bad = new List<string>();
        foreach (var state in states.Where(state => state.Parameter.grad is not null))
        {
            if (scaleOf(state.Name) is var scale && scale != 1) state.Parameter.grad!.div_(scale);
            if (!state.Parameter.grad!.isfinite().all().ToBoolean()) bad.Add(state.Name);
        }
        return bad;
    }

    /// <summary>Forgets the gathered gradients.</summary>
    public void Drop()
    {
        foreach (var state in states) state.Parameter.grad = null;
    }

    /// <summary>The moments and step counts by name, for a checkpoint; tensors are the optimizer's own.</summary>
    public IEnumerable<(string Name, Tensor Value)> Tensors() =>
        states.SelectMany(state => new[]
        {
            ($"{state.Name}#mean", state.Mean), ($"{state.Name}#variance", state.Variance), ($"{state.Name}#step", state.Steps),
        });

    /// <summary>Takes over moments and step counts of parameters of the same name and shape.</summary>
    public void Carry(AdamW former)
    {
        using var _ = no_grad();
        var old = former.states.ToDictionary(state => state.Name);
        foreach (var state in states)
            if (old.TryGetValue(state.Name, out var source) && source.Mean.shape.SequenceEqual(state.Mean.shape))
            {
                state.Mean.copy_(source.Mean);
                state.Variance.copy_(source.Variance);
                state.Steps.copy_(source.Steps);
            }
    }

    public void Dispose()
    {
        foreach (var state in states) state.Dispose();
    }

    private State[] Active() => [.. states.Where(state => state.Parameter.grad is not null)];

    private static double Norm(State[] active)
    {
        if (active.Length == 0) return 0;
        if (active.All(AdamWKernel.Reads)) return Math.Sqrt(AdamWKernel.SumOfSquares([.. active.Select(state => (Tensor)state.Parameter.grad!)]));
        return stack(active.Select(state => state.Parameter.grad!.norm().to(ScalarType.Float64).cpu())).norm().ToDouble();
    }

    private static void Update(State[] active, IReadOnlyList<GroupRate> rates, double clip)
    {
        foreach (var state in active) state.Steps.add_(1);
        var (read, others) = (active.Where(AdamWKernel.Reads), active.Where(state => !AdamWKernel.Reads(state)).ToArray());
        AdamWKernel.Step(read.Select(state => new AdamWKernel.Item(
            state.Detached, state.Parameter.grad!, state.Mean, state.Variance, rates[state.Group].Rate, state.Decays ? rates[state.Group].Decay : 0, state.Steps.ToDouble())),
            clip, Beta1, Beta2, Epsilon);
        if (others.Length == 0) return;
        if (clip != 1)
            foreach (var state in others) state.Parameter.grad!.mul_(clip);
        foreach (var group in others.GroupBy(state => (state.Group, state.Decays)))
            OperatorUpdate([.. group], rates[group.Key.Group].Rate, group.Key.Decays ? rates[group.Key.Group].Decay : 0);
    }

    /// <summary>The step of parameters of other types and devices: libtorch's fused operator, or plain ones.</summary>
    internal static void OperatorUpdate(State[] group, double rate, double decay)
    {
        if (TorchDispatcher.IsAvailable)
            TorchDispatcher.FusedAdamW(
                [.. group.Select(s => s.Detached)], [.. group.Select(s => (Tensor)s.Parameter.grad!)], [.. group.Select(s => s.Mean)],
                [.. group.Select(s => s.Variance)], [.. group.Select(s => s.Steps)], rate, Beta1, Beta2, decay, Epsilon);
        else
            foreach (var state in group) PlainUpdate(state, rate, decay);
    }

    /// <summary>The same step in TorchSharp's own operators, for a libtorch without the fused one.</summary>
    internal static void PlainUpdate(State state, double rate, double decay)
    {
        var gradient = state.Parameter.grad!;
        var step = state.Steps.ToDouble();
        state.Detached.mul_(1 - rate * decay);
        state.Mean.mul_(Beta1).add_(gradient, alpha: 1 - Beta1);
        state.Variance.mul_(Beta2).addcmul_(gradient, gradient, value: 1 - Beta2);
        var scale = (state.Variance / (1 - Math.Pow(Beta2, step))).sqrt_().add_(Epsilon);
        state.Detached.addcdiv_(state.Mean, scale, value: -rate / (1 - Math.Pow(Beta1, step)));
    }

    internal sealed class State : IDisposable
    {
        public State(string name, Parameter parameter, int group = 0)
        {
            (Name, Group) = (name, group);
            Parameter = parameter;
            Decays = parameter.dim() >= 2;
            Detached = parameter.detach().DetachFromDisposeScope();
            Mean = zeros_like(Detached).DetachFromDisposeScope();
            Variance = zeros_like(Detached).DetachFromDisposeScope();
            Steps = zeros(1, device: parameter.device).DetachFromDisposeScope().squeeze_(0);
        }

        public string Name { get; }

        public Parameter Parameter { get; }

        public int Group { get; }

        public bool Decays { get; }

        /// <summary>The parameter's memory without autograd, for in-place updates.</summary>
        public Tensor Detached { get; }

        public Tensor Mean { get; }

        public Tensor Variance { get; }

        public Tensor Steps { get; }

        public void Dispose()
        {
            Detached.Dispose();
            Mean.Dispose();
            Variance.Dispose();
            Steps.Dispose();
        }
    }
}

/// <summary>What a group of parameters is trained with at a step.</summary>
/// <param name="Rate">Learning rate.</param>
/// <param name="Decay">Decoupled weight decay.</param>
public readonly record struct GroupRate(double Rate, double Decay);
