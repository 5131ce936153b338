using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Runs.Profiling;
using PluginHost.Runs.Training.Precision;
using PluginHost.Sdk;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>A version of the graph with what training it needs; a swap replaces all of it at once.</summary>
internal sealed class TrainedGraph : IDisposable
{
    private readonly GraphUse use;
    private readonly int index;
    private readonly StageParameters selection;
    private readonly List<Parameter> frozen;
    private readonly IReadOnlyList<(string Name, Parameter Value)> trained;
    private readonly Tensor skipped = zeros(1, ScalarType.Int64).DetachFromDisposeScope();

    /// <exception cref="ConfigException">The stage names parameters that the graph does not have.</exception>
    public TrainedGraph(GraphUse use, int index, TrainingProfile? profile = null, IWeighting? weighting = null, ITuningPlugin? tuning = null)
    {
        (this.use, this.index, Profile) = (use, index, profile);
        Config = Graph.Plan.Stages[index].Config;
        // After an exchange the new graph has it already.
        if (tuning is not null) Tuning = (Graph.Tunings.Attached.FirstOrDefault(item => item.Name == Config.Name) ?? Graph.Tunings.Attach(Graph.Tunings.Begin(Config.Name, tuning))).Tuning;
        selection = new StageParameters(Config, StageParameters.Peak(Graph.Plan, index, Tuning?.RateOfPretraining), Tuning?.Parameters.ToDictionary(NameOf, item => item.RateFactor));
        Objectives = Graph.Objectives(index);
        MicroBatches = new MicroBatches(Config.Parallel);
        StageParameters.Check(Graph);
        trained = [.. (Tuning is null ? Graph.Parameters : Tuning.Parameters.Select(item => (NameOf(item), item.Value))).Where(item => item.Value.requires_grad && !selection.IsFrozen(item.Item1))];
        frozen = [.. Graph.Parameters.Concat(Graph.Tunings.Attached.SelectMany(Own)).Select(item => item.Value).Where(value => value.requires_grad).Except(trained.Select(item => item.Value), ReferenceEqualityComparer.Instance).Cast<Parameter>()];
        foreach (var parameter in frozen) parameter.requires_grad = false;
        Optimizer = new AdamW(trained, selection.GroupOf);
        Precision = new StagePrecision(Graph, Config);
        if (weighting is not null && Config.Weighting is { } wanted)
            Balance = new LossBalance(weighting, wanted, Objectives, Tuning is null ? Graph.Parameters : trained, name => Precision.Scales?.OfParameter(ScaledAs(name)) ?? 1);
        if (Config.Ema > 0) Average = new WeightAverage(Tuning is null ? Graph.Parameters : trained, Config.Ema);
    }

    public StageConfig Config { get; }

    /// <summary>How the stage tunes the graph; null: it trains every weight that is not frozen.</summary>
    public ITuning? Tuning { get; }

    /// <summary>Numbers that are trained.</summary>
    public long Trainable => trained.Sum(item => item.Value.numel());

    /// <summary>All numbers of the model, those that tunings add included.</summary>
    public long Total => Graph.Parameters.Sum(item => item.Value.numel()) + Graph.Tunings.Attached.SelectMany(Own).Sum(item => item.Value.numel());

    /// <summary>Bytes of the gradients and moments of what is trained.</summary>
    public long OptimizerAndGradientBytes => trained.Sum(item => item.Value.numel() * item.Value.element_size()) + Optimizer.Tensors().Sum(item => item.Value.numel() * item.Value.element_size());

    public ExecutableGraph Graph => use.Graph;

    public int Index => index;

    public IReadOnlyList<BuiltObjective> Objectives { get; }

    public MicroBatches MicroBatches { get; }

    public AdamW Optimizer { get; }

    public StagePrecision Precision { get; }

    /// <summary>What weighs the objectives from step to step; null: nothing does.</summary>
    public LossBalance? Balance { get; }

    /// <summary>What measures the steps; null: nothing does.</summary>
    public TrainingProfile? Profile { get; }

    /// <summary>Steps that an overflow has made void; their windows are behind us.</summary>
    public long Skipped => skipped.data<long>()[0];

    /// <summary>The moving average of the weights, when the stage keeps one.</summary>
    public WeightAverage? Average { get; }

    /// <summary>What the objectives need; a thread's own.</summary>
    public ExecutionStep[] CreateSteps() => Graph.StepsFor(Objectives.SelectMany(objective => objective.InputSlots));

    /// <summary>Takes a step with the gradients gathered; see <see cref="AdamW.Step(IReadOnlyList{GroupRate}, double)"/>.</summary>
    /// <returns>
    /// The norm of the gradients; when it is not finite, no weight has changed. Null: the gradients overflowed in their narrow format,
    /// and all that has changed is the scale and the count of skipped steps.
    /// </returns>
    public double? Step(int step)
    {
        if (Precision.Scales is { } scales && Optimizer.Unscale(name => scales.OfParameter(ScaledAs(name))) is { Count: > 0 } overflowed && scales.BackOff(overflowed.Select(ScaledAs)))
        {
            Optimizer.Drop();
            skipped.data<long>()[0]++;
            return null;
        }
        var norm = Optimizer.Step(selection.RatesAt(step), Config.Clip);
        if (!double.IsFinite(norm)) return norm;
        Average?.Add(step + 1);
        Precision.Advance();
        return norm;
    }

    /// <summary>The learning rate at a step of what is in no group.</summary>
    public double RateAt(int step) => selection.RatesAt(step)[0].Rate;

    /// <summary>Everything that training changes, by name, for a checkpoint; the tensors are in use.</summary>
    public IEnumerable<(string Name, Tensor Value)> State() => Graph.Weights.Concat(OwnState());

    /// <summary>Fills optimizer and average from a checkpoint; the weights are in the graph already.</summary>
    /// <exception cref="RunFailedException">The checkpoint is of another graph or of other settings.</exception>
    public void Restore(IReadOnlyDictionary<string, Tensor> saved)
    {
        using var _ = no_grad();
        Precision.Restore(saved);
        foreach (var (name, value) in OwnState())
            value.copy_(saved.TryGetValue(name, out var source)
                ? source
                : throw new RunFailedException($"The checkpoint has no '{name}', which the settings of stage '{Config.Name}' ask for now: resume with those that it was made with."));
    }

    /// <summary>Takes over what fits of the version before.</summary>
    public void Carry(TrainedGraph former)
    {
        Optimizer.Carry(former.Optimizer);
        if (former.Average is { } average) Average?.Carry(average);
        Precision.Carry(former.Precision);
        skipped.copy_(former.skipped);
    }

    /// <summary>Makes what the stage has frozen trainable again.</summary>
    public void Thaw()
    {
        foreach (var parameter in frozen) parameter.requires_grad = true;
        frozen.Clear();
    }

    /// <summary>Gives the graph back, all of it trainable.</summary>
    public void Dispose()
    {
        Thaw();
        skipped.Dispose();
        Balance?.Forget();
        Precision.Dispose();
        Average?.Dispose();
        Optimizer.Dispose();
        use.Dispose();
    }

    /// <summary>A tuned parameter's name in the stage: the graph's own where it is one of its weights.</summary>
    private string NameOf(TunedParameter parameter) =>
        Graph.Parameters.FirstOrDefault(item => ReferenceEquals(item.Value, parameter.Value)).Name ?? $"{TrainingState.TuningPrefix}{Config.Name}.{parameter.Name}";

    /// <summary>What a tuning trains beside the graph's weights.</summary>
    private IEnumerable<(string Name, Parameter Value)> Own(GraphTuning tuning) => tuning.Tuning.Parameters
        .Where(parameter => !Graph.Parameters.Any(item => ReferenceEquals(item.Value, parameter.Value)))
        .Select(parameter => ($"{TrainingState.TuningPrefix}{tuning.Name}.{parameter.Name}", parameter.Value));

    // An adapter's gradients are scaled as those of the node that it is in; a prefix is the decoder's.
    private string ScaledAs(string name) => !name.StartsWith(TrainingState.TuningPrefix, StringComparison.Ordinal) ? name
        : $"{(Graph.Nodes.FirstOrDefault(node => NamePart.Contains(node.Name, name[(TrainingState.TuningPrefix.Length + Config.Name.Length)..]))?.Name ?? Graph.Plan.DecoderNode?.Name)}.{name}";

    private IEnumerable<(string Name, Tensor Value)> OwnState() =>
        Graph.Tunings.Attached.SelectMany(Own).Select(item => (item.Name, (Tensor)item.Value)).Concat(Optimizer.Tensors().Select(item => (TrainingState.OptimizerPrefix + item.Name, item.Value)))
            .Concat(Average?.Tensors().Select(item => (TrainingState.AveragePrefix + item.Name, item.Value)) ?? [])
            .Concat(Precision.Tensors()).Append((TrainingState.Skipped, skipped));
}
