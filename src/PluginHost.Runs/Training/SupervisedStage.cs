using System.Diagnostics;
using System.Runtime.CompilerServices;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>
/// A supervised stage: batches through the graph, objectives to one loss, AdamW. The loss of a step is
/// Σ over objectives of weight · (Σ loss / Σ count) over the whole accumulation window, exact to the token.
/// </summary>
public sealed class SupervisedStage : IDisposable
{
    /// <summary>Samples that the validation loss is taken over.</summary>
    private const int ValidationSamples = 128;

    private const int StepsPerCollection = 32;

    private readonly LiveGraph live;
    private readonly int index;
    private StageConfig config;
    private readonly Dataset data;
    private readonly long seed;
    private readonly List<double> losses = [];
    private readonly List<ValidationPoint> validations = [];
    private readonly StepBoundaries boundaries;
    private TrainedGraph trained;

    /// <param name="live">The graph; plugins may be swapped in it between two steps.</param>
    /// <param name="index">Which stage of the project this is.</param>
    /// <param name="data">Where batches come from.</param>
    /// <param name="seed">The run's seed.</param>
    public SupervisedStage(LiveGraph live, int index, Dataset data, long seed)
    {
        (this.live, this.index, this.data, this.seed) = (live, index, data, seed);
        // Before the graph is taken: a swap in between would be trained past.
        boundaries = live.BeginSteps();
        config = live.Plan.Stages[index].Config;
        trained = new TrainedGraph(live.Acquire(), index, config.Parallel);
    }

    /// <summary>Trains the stage, from its beginning or from a state.</summary>
    /// <exception cref="RunFailedException">The loss is no longer a finite number.</exception>
    public StageResult Run(TrainingState? resume, ICheckpoints checkpoints, IRunObserver observer, CancellationToken cancellation)
    {
        var (firstStep, secondsBefore, tokens) = resume is null ? (0, 0.0, 0L) : Restore(resume);
        observer.StageStarted(config.Name, firstStep, config.Steps);
        trained.Graph.Train(true);
        // The stream is endless and a function of the seed: the position in it is the step.
        using var batches = data.Train(new TrainStream(
            "train", seed + index, config.Batch, config.Tasks, config.Turns, (long)firstStep * config.Accumulate)).GetEnumerator();
        var watch = Stopwatch.StartNew();
        var firstTokens = tokens;
        for (var step = firstStep; step < config.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            var rate = LearningRate.At(step, config.Steps, config.LearningRate, config.Warmup, config.FinalRate);
            var window = Take(batches, config.Accumulate);
            // Used batches are large arrays: collected often, between steps, they keep the resident memory flat.
            if (step % StepsPerCollection == 0) StepGate.Collect();
            using var pass = StepGate.Enter();
            if (boundaries.Exchange(next => Probe(next, window))) Follow();
            var parts = Backward(window, out var windowTokens);
            var norm = trained.Optimizer.Step(rate, config.WeightDecay, config.Clip);
            var loss = parts.Values.Sum();
            if (!double.IsFinite(loss) || !double.IsFinite(norm))
                throw new RunFailedException(
                    $"Stage '{config.Name}', step {step + 1}: the loss is {loss} and the gradient norm {norm}; lower 'learningRate' ({config.LearningRate}) or 'clip' ({config.Clip}).");
            losses.Add(loss);
            tokens += windowTokens;
            var speed = (tokens - firstTokens) / watch.Elapsed.TotalSeconds;
            var left = watch.Elapsed / (step - firstStep + 1) * (config.Steps - step - 1);
            observer.Stepped(config.Name, new StepReport(step + 1, config.Steps, loss, parts, rate, norm, speed, left));
            if (config.ValidateEvery > 0 && (step + 1) % config.ValidateEvery == 0) Validate(step + 1, observer);
            if (config.CheckpointEvery > 0 && (step + 1) % config.CheckpointEvery == 0 && step + 1 < config.Steps)
                checkpoints.Save(Capture(step + 1, secondsBefore + watch.Elapsed.TotalSeconds, tokens));
        }
        var seconds = secondsBefore + watch.Elapsed.TotalSeconds;
        if (validations.Count == 0 || validations[^1].Step != config.Steps) Validate(config.Steps, observer);
        checkpoints.Save(Capture(config.Steps, seconds, tokens));
        var result = new StageResult(
            config.Name, config.Steps, seconds, tokens / Math.Max(seconds, 1e-9), losses.FirstOrDefault(), losses.LastOrDefault(), losses, validations);
        observer.StageFinished(result);
        return result;
    }

    /// <summary>Gives the graph back and lets swaps go on without it.</summary>
    public void Dispose()
    {
        trained.Dispose();
        boundaries.Dispose();
    }

    // Only the trained graph changes: losses, position and data stream go on.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Follow()
    {
        using var former = trained;
        trained = new TrainedGraph(live.Acquire(), index, config.Parallel);
        trained.Optimizer.Carry(former.Optimizer);
        config = trained.Graph.Plan.Stages[index].Config;
        trained.Graph.Train(true);
    }

    /// <summary>Tries a new version on the next batches; throws when it fails or its loss is no finite number.</summary>
    private void Probe(ExecutableGraph next, IReadOnlyList<Batch> window)
    {
        using var generator = get_rng_state();
        using var _ = no_grad();
        try
        {
            var steps = next.StepsFor(next.Objectives(index).SelectMany(objective => objective.InputSlots));
            using var scope = NewDisposeScope();
            var slots = Fill(next, window[0]);
            ExecutableGraph.Run(steps, slots);
            foreach (var objective in next.Objectives(index))
                if (objective.Objective.Sum(Inputs(objective, slots)).ToDouble() is var loss && !double.IsFinite(loss))
                    throw new RunFailedException($"the loss of '{objective.Name}' is {loss} on its first batch");
        }
        finally
        {
            set_rng_state(generator);
        }
    }

    /// <summary>Gradients of a window; returns each objective's weighted share of the loss.</summary>
    private Dictionary<string, double> Backward(IReadOnlyList<Batch> window, out long tokens)
    {
        var objectives = trained.Objectives;
        var counts = new double[objectives.Count];
        var parts = objectives.ToDictionary(objective => objective.Name, _ => 0.0);
        tokens = 0;
        foreach (var batch in window)
            using (NewDisposeScope())
            {
                var slots = Fill(trained.Graph, batch);
                for (var o = 0; o < counts.Length; o++) counts[o] += objectives[o].Objective.Count(Inputs(objectives[o], slots));
                tokens += TokenCount(batch);
            }
        foreach (var (shares, gradients) in trained.MicroBatches.Run(window, batch => Differentiate(batch, counts)))
        {
            for (var o = 0; o < counts.Length; o++) parts[objectives[o].Name] += shares[o];
            trained.Optimizer.Accumulate(gradients);
        }
        trained.Graph.CheckBackward();
        foreach (var batch in window) batch.Dispose();
        return parts;
    }

    /// <summary>A micro-batch's share of each objective's loss, and its gradients in the order of the optimizer's parameters.</summary>
    private (double[] Shares, IReadOnlyList<Tensor?> Gradients) Differentiate(Batch batch, double[] counts)
    {
        using var scope = NewDisposeScope();
        var slots = Fill(trained.Graph, batch);
        ExecutableGraph.Run(trained.CreateSteps(), slots);
        var shares = new double[counts.Length];
        Tensor? loss = null;
        for (var o = 0; o < counts.Length; o++)
        {
            if (counts[o] == 0) continue;
            var share = trained.Objectives[o].Objective.Sum(Inputs(trained.Objectives[o], slots)) * (trained.Objectives[o].Weight / counts[o]);
            shares[o] = share.ToDouble();
            loss = loss is null ? share : loss + share;
        }
        return (shares, loss is { requires_grad: true } ? trained.Optimizer.Gradients(loss) : []);
    }

    private void Validate(int step, IRunObserver observer)
    {
        var samples = data.Load("validation", ValidationSamples, []);
        if (samples.Count == 0) return;
        trained.Graph.Train(false);
        double total = 0;
        using var pass = StepGate.Enter();
        using (no_grad())
        using (var batch = data.CollateTurns(samples, config.Tasks, config.Turns, seed))
        using (NewDisposeScope())
        {
            var slots = Fill(trained.Graph, batch);
            ExecutableGraph.Run(trained.CreateSteps(), slots);
            foreach (var objective in trained.Objectives)
            {
                var count = objective.Objective.Count(Inputs(objective, slots));
                if (count > 0) total += objective.Weight * objective.Objective.Sum(Inputs(objective, slots)).ToDouble() / count;
            }
        }
        trained.Graph.Train(true);
        validations.Add(new ValidationPoint(step, total));
        observer.Validated(config.Name, validations[^1]);
    }

    private static object?[] Fill(ExecutableGraph graph, Batch batch)
    {
        var slots = graph.CreateSlots();
        SlotFiller.Fill(graph.Plan, batch, slots);
        return slots;
    }

    private static object?[] Inputs(BuiltObjective objective, object?[] slots)
    {
        var inputs = new object?[objective.InputSlots.Length];
        for (var i = 0; i < inputs.Length; i++) inputs[i] = objective.InputSlots[i] < 0 ? null : slots[objective.InputSlots[i]];
        return inputs;
    }

    private static Batch[] Take(IEnumerator<Batch> batches, int count)
    {
        var window = new Batch[count];
        for (var i = 0; i < count; i++)
        {
            if (!batches.MoveNext()) throw new RunFailedException("The split 'train' has no usable sample.");
            window[i] = batches.Current;
        }
        return window;
    }

    private static long TokenCount(Batch batch) =>
        (batch.Text?.Mask.sum().ToInt64() ?? 0) + (batch.Caption?.Mask.sum().ToInt64() ?? 0);

    private TrainingState Capture(int step, double seconds, long tokens)
    {
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (name, value) in trained.Graph.Parameters) tensors[name] = value;
        foreach (var (name, value) in trained.Graph.Buffers) tensors[name] = value;
        foreach (var (name, value) in trained.Optimizer.Tensors()) tensors[TrainingState.OptimizerPrefix + name] = value;
        tensors[TrainingState.Generator] = get_rng_state();
        return new TrainingState(index, step, seconds, tokens, [.. losses], [.. validations], tensors);
    }

    private (int Step, double Seconds, long Tokens) Restore(TrainingState state)
    {
        using var _ = no_grad();
        foreach (var (name, value) in trained.Optimizer.Tensors()) value.copy_(state.Tensors[TrainingState.OptimizerPrefix + name]);
        set_rng_state(state.Tensors[TrainingState.Generator]);
        losses.AddRange(state.Losses);
        validations.AddRange(state.Validations);
        return (state.Step, state.Seconds, state.Tokens);
    }

    /// <summary>A version of the graph with what training it needs; a swap replaces all of it at once.</summary>
    private sealed class TrainedGraph(GraphUse use, int index, int parallel) : IDisposable
    {
        public ExecutableGraph Graph => use.Graph;

        public IReadOnlyList<BuiltObjective> Objectives { get; } = use.Graph.Objectives(index);

        /// <summary>What the objectives need; a thread's own.</summary>
        public ExecutionStep[] CreateSteps() => use.Graph.StepsFor(use.Graph.Objectives(index).SelectMany(objective => objective.InputSlots));

        public MicroBatches MicroBatches { get; } = new(parallel);

        public AdamW Optimizer { get; } = new(use.Graph.Parameters);

        public void Dispose()
        {
            Optimizer.Dispose();
            use.Dispose();
        }
    }
}
