using System.Diagnostics;
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
public sealed class SupervisedStage(ExecutableGraph graph, GraphPlan plan, int index, StageConfig config, Dataset data, long seed)
{
    /// <summary>Samples that the validation loss is taken over.</summary>
    private const int ValidationSamples = 128;

    private const int StepsPerCollection = 32;

    private readonly IReadOnlyList<BuiltObjective> objectives = graph.Objectives(index);
    private readonly ExecutionStep[] steps = graph.StepsFor(graph.Objectives(index).SelectMany(o => o.InputSlots));
    private readonly List<double> losses = [];
    private readonly List<ValidationPoint> validations = [];

    /// <summary>Trains the stage, from its beginning or from a state.</summary>
    /// <exception cref="RunFailedException">The loss is no longer a finite number.</exception>
    public StageResult Run(TrainingState? resume, ICheckpoints checkpoints, IRunObserver observer, CancellationToken cancellation)
    {
        using var optimizer = new AdamW(graph.Parameters);
        var (firstStep, secondsBefore, tokens) = resume is null ? (0, 0.0, 0L) : Restore(resume, optimizer);
        observer.StageStarted(config.Name, firstStep, config.Steps);
        graph.Train(true);
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
            if (step % StepsPerCollection == 0) GC.Collect();
            using var pause = new CollectionPause();
            var parts = Backward(window, out var windowTokens);
            var norm = optimizer.Step(rate, config.WeightDecay, config.Clip);
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
                checkpoints.Save(Capture(step + 1, secondsBefore + watch.Elapsed.TotalSeconds, tokens, optimizer));
        }
        var seconds = secondsBefore + watch.Elapsed.TotalSeconds;
        if (validations.Count == 0 || validations[^1].Step != config.Steps) Validate(config.Steps, observer);
        checkpoints.Save(Capture(config.Steps, seconds, tokens, optimizer));
        var result = new StageResult(
            config.Name, config.Steps, seconds, tokens / Math.Max(seconds, 1e-9), losses.FirstOrDefault(), losses.LastOrDefault(), losses, validations);
        observer.StageFinished(result);
        return result;
    }

    /// <summary>Gradients of a window; returns each objective's weighted share of the loss.</summary>
    private Dictionary<string, double> Backward(IReadOnlyList<Batch> window, out long tokens)
    {
        var counts = new double[objectives.Count];
        var parts = objectives.ToDictionary(objective => objective.Name, _ => 0.0);
        tokens = 0;
        foreach (var batch in window)
            using (NewDisposeScope())
            {
                var slots = Fill(batch);
                for (var o = 0; o < counts.Length; o++) counts[o] += objectives[o].Objective.Count(Inputs(objectives[o], slots));
                tokens += TokenCount(batch);
            }
        foreach (var batch in window)
        {
            using (NewDisposeScope())
            {
                var slots = Fill(batch);
                graph.Run(steps, slots);
                Tensor? loss = null;
                for (var o = 0; o < counts.Length; o++)
                {
                    if (counts[o] == 0) continue;
                    var share = objectives[o].Objective.Sum(Inputs(objectives[o], slots)) * (objectives[o].Weight / counts[o]);
                    parts[objectives[o].Name] += share.ToDouble();
                    loss = loss is null ? share : loss + share;
                }
                if (loss is { requires_grad: true }) loss.backward();
                graph.CheckBackward();
            }
            batch.Dispose();
        }
        return parts;
    }

    private void Validate(int step, IRunObserver observer)
    {
        var samples = data.Load("validation", ValidationSamples, []);
        if (samples.Count == 0) return;
        graph.Train(false);
        double total = 0;
        using var pause = new CollectionPause();
        using (no_grad())
        using (var batch = data.CollateTurns(samples, config.Tasks, config.Turns, seed))
        using (NewDisposeScope())
        {
            var slots = Fill(batch);
            graph.Run(steps, slots);
            foreach (var objective in objectives)
            {
                var count = objective.Objective.Count(Inputs(objective, slots));
                if (count > 0) total += objective.Weight * objective.Objective.Sum(Inputs(objective, slots)).ToDouble() / count;
            }
        }
        graph.Train(true);
        validations.Add(new ValidationPoint(step, total));
        observer.Validated(config.Name, validations[^1]);
    }

    private object?[] Fill(Batch batch)
    {
        var slots = graph.CreateSlots();
        SlotFiller.Fill(plan, batch, slots);
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

    private TrainingState Capture(int step, double seconds, long tokens, AdamW optimizer)
    {
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (name, value) in graph.Parameters) tensors[name] = value;
        foreach (var (name, value) in graph.Buffers) tensors[name] = value;
        foreach (var (name, value) in optimizer.Tensors()) tensors[TrainingState.OptimizerPrefix + name] = value;
        tensors[TrainingState.Generator] = get_rng_state();
        return new TrainingState(index, step, seconds, tokens, [.. losses], [.. validations], tensors);
    }

    private (int Step, double Seconds, long Tokens) Restore(TrainingState state, AdamW optimizer)
    {
        using var _ = no_grad();
        foreach (var (name, value) in optimizer.Tensors()) value.copy_(state.Tensors[TrainingState.OptimizerPrefix + name]);
        set_rng_state(state.Tensors[TrainingState.Generator]);
        losses.AddRange(state.Losses);
        validations.AddRange(state.Validations);
        return (state.Step, state.Seconds, state.Tokens);
    }
}
