using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>Between a stage and its weighting: weights for each step, and what the step taught.</summary>
internal sealed class LossBalance
{
    private readonly IWeighting weighting;
    private readonly IReadOnlyList<BuiltObjective> objectives;
    private readonly Func<string, double> scaleOf;
    private readonly Tensor?[][] sums;

    /// <param name="weighting">The stage's weighting.</param>
    /// <param name="config">Which parameters are shared.</param>
    /// <param name="objectives">The stage's objectives.</param>
    /// <param name="parameters">All trained parameters.</param>
    /// <param name="scaleOf">The loss scale that a parameter's gradient bears.</param>
    public LossBalance(
        IWeighting weighting, WeightingConfig config, IReadOnlyList<BuiltObjective> objectives, IEnumerable<(string Name, Parameter Value)> parameters, Func<string, double> scaleOf)
    {
        (this.weighting, this.objectives, this.scaleOf) = (weighting, objectives, scaleOf);
        Shared = weighting.NeedsGradientNorms
            ? [.. parameters.Where(item => item.Value.requires_grad && (config.Shared.Count == 0 || config.Shared.Any(pattern => pattern.Matches(item.Name))))]
            : [];
        sums = [.. objectives.Select(_ => new Tensor?[Shared.Count])];
    }

    /// <summary>The parameters whose gradients are compared; none when the weighting does not ask.</summary>
    public IReadOnlyList<(string Name, Parameter Value)> Shared { get; }

    /// <summary>What each objective's loss is multiplied by in this step.</summary>
    /// <exception cref="RunFailedException">The weighting gives something else than finite numbers of 0 or more.</exception>
    public double[] Weights()
    {
        double[] weights = [.. weighting.Weights];
        if (weights.Length != objectives.Count || weights.Any(weight => !double.IsFinite(weight) || weight < 0))
            throw new RunFailedException($"The weighting gives [{string.Join(", ", weights)}] for {objectives.Count} objectives; each weight is a finite number of 0 or more.");
        return weights;
    }

    /// <summary>Gradients of each objective's share of a micro-batch with respect to the shared parameters; detached, the caller's.</summary>
    public Tensor?[][] Gradients(IReadOnlyList<Tensor?> shares) => Shared.Count == 0
        ? []
        : [.. shares.Select(share => share is not { requires_grad: true }
            ? new Tensor?[Shared.Count]
            : [.. autograd.grad([share], [.. Shared.Select(item => item.Value)], retain_graph: true, allow_unused: true)
                .Select(gradient => gradient is null || gradient.IsInvalid ? null : gradient.DetachFromDisposeScope())])];

    /// <summary>Adds a micro-batch's gradients, and takes them over.</summary>
    public void Add(Tensor?[][] gradients)
    {
        using var _ = no_grad();
        for (var o = 0; o < gradients.Length; o++)
            for (var i = 0; i < Shared.Count; i++)
            {
                if (gradients[o][i] is not { } gradient) continue;
                if (sums[o][i] is not { } sum) sums[o][i] = gradient;
                else
                {
                    sum.add_(gradient);
                    gradient.Dispose();
                }
            }
    }

    /// <summary>Tells the weighting what a step gave.</summary>
    /// <param name="losses">By objective, without <see cref="Weights"/>.</param>
    public void Observe(IReadOnlyDictionary<string, double> losses)
    {
        weighting.Observe([.. objectives.Select((objective, o) => losses.TryGetValue(objective.Name, out var loss) ? new ObservedLoss(loss, Norm(o)) : (ObservedLoss?)null)]);
        Forget();
    }

    /// <summary>Forgets the gradients of a step.</summary>
    public void Forget()
    {
        foreach (var sum in sums)
            for (var i = 0; i < sum.Length; i++)
            {
                sum[i]?.Dispose();
                sum[i] = null;
            }
    }

    private double Norm(int objective)
    {
        using var scope = NewDisposeScope();
        double squares = 0;
        for (var i = 0; i < Shared.Count; i++)
            if (sums[objective][i] is { } sum) squares += Math.Pow(sum.norm().ToDouble() / scaleOf(Shared[i].Name), 2);
        return Math.Sqrt(squares);
    }
}
