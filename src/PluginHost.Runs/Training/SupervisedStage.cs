using System.Diagnostics;
using System.Runtime.CompilerServices;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Runs.Profiling;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>A supervised stage: windows of batches through the graph, objectives to one loss, AdamW, validations, checkpoints.</summary>
public sealed class SupervisedStage : IDisposable
{
    /// <summary>Samples that the validation loss is taken over.</summary>
    private const int ValidationSamples = 128;

    private const int StepsPerCollection = 32;

    private readonly LiveGraph live;
    private readonly int index;
    private readonly Dataset data;
    private readonly long seed;
    private readonly List<double> losses = [];
    private readonly List<ValidationPoint> validations = [];
    private readonly StepBoundaries boundaries;
    private readonly TrainingProfile? profile;
    private readonly IWeighting? weighting;
    private readonly ITuningPlugin? tuning;
    private TrainedGraph trained;

    /// <param name="live">The graph; plugins may be swapped in it between two steps.</param>
    /// <param name="index">Which stage of the project this is.</param>
    /// <param name="data">Where batches come from.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="profile">Measures the steps; null: nothing does.</param>
    /// <param name="weighting">The plugin of <see cref="StageConfig.Weighting"/>; null when the stage has none.</param>
    /// <param name="tuning">The plugin of <see cref="StageConfig.Tuning"/>, whose tuning is attached to the graph and stays so; null when the stage has none.</param>
    /// <exception cref="ConfigException">The stage names parameters that the graph does not have.</exception>
    public SupervisedStage(LiveGraph live, int index, Dataset data, long seed, TrainingProfile? profile = null, IWeightingPlugin? weighting = null, ITuningPlugin? tuning = null)
    {
        (this.live, this.index, this.data, this.seed, this.profile, this.tuning) = (live, index, data, seed, profile, tuning);
        this.weighting = weighting?.Begin([.. live.Plan.Stages[index].Objectives.Select(objective => objective.Name)]);
        // Before the graph is taken: a swap in between would be trained past.
        boundaries = live.BeginSteps();
        trained = new TrainedGraph(live.Acquire(), index, profile, this.weighting, tuning);
    }

    /// <summary>The moving average of the weights, when the stage keeps one; it lives as long as the stage.</summary>
    public WeightAverage? Average => trained.Average;

    private StageConfig Config => trained.Config;

    private int Candidates => SlotFiller.Candidates(trained.Graph.Plan, Config.Candidates);

    /// <summary>Trains the stage, from its beginning or from a state. All checkpoints are on the disk when it returns.</summary>
    /// <exception cref="RunFailedException">The loss is no longer a finite number, or a checkpoint cannot be written.</exception>
    public StageResult Run(TrainingState? resume, ICheckpoints checkpoints, IRunObserver observer, CancellationToken cancellation)
    {
        var (firstStep, secondsBefore, tokens) = resume is null ? (0, 0.0, 0L) : Restore(resume);
        observer.StageStarted(Config.Name, firstStep, Config.Steps);
        ProcessMemory.BeginPeak();
        trained.Graph.Train(true);
        using var writer = new CheckpointWriter(checkpoints);
        // The stream is endless and a function of the seed: the position in it is the steps taken and skipped.
        var stream = new TrainStream("train", seed + index, Config.Batch, Config.Tasks, Config.Turns, (firstStep + trained.Skipped) * Config.Accumulate, Candidates) { TaskWeights = Config.TaskWeights };
        using var batches = data.Train(stream).GetEnumerator();
        var (watch, waiting) = (Stopwatch.StartNew(), new Stopwatch());
        var firstTokens = tokens;
        for (var step = firstStep; step < Config.Steps;)
        {
            cancellation.ThrowIfCancellationRequested();
            var began = Stopwatch.GetTimestamp();
            profile?.BeginStep();
            waiting.Start();
            using var window = AccumulationWindow.Take(batches, Config.Accumulate, trained.Graph.Plan);
            waiting.Stop();
            profile?.AddDataWait(began);
            // Used batches are large arrays: collected often, between steps, they keep the resident memory flat.
            if (step % StepsPerCollection == 0) StepGate.Collect();
            using var pass = StepGate.Enter();
            if (boundaries.Exchange(next => Probe(next, window.Batches[0]))) Follow();
            var taken = Step(step, window);
            profile?.EndStep(began);
            if (taken is not { } report)
            {
                observer.Skipped(Config.Name, step + 1);
                continue;
            }
            losses.Add(report.Loss);
            tokens += window.Tokens;
            observer.Stepped(Config.Name, report with
            {
                TokensPerSecond = (tokens - firstTokens) / watch.Elapsed.TotalSeconds,
                Left = watch.Elapsed / (step - firstStep + 1) * (Config.Steps - step - 1),
            });
            if (IsDue(Config.ValidateEvery, step)) Validate(step + 1, observer);
            if (step + 1 < Config.Steps && (IsDue(Config.CheckpointEvery, step) || IsBest(step + 1)))
                writer.Save(Capture(step + 1, secondsBefore + watch.Elapsed.TotalSeconds, tokens), Config.KeepCheckpoints);
            step++;
        }
        var seconds = secondsBefore + watch.Elapsed.TotalSeconds;
        if (validations.Count == 0 || validations[^1].Step != Config.Steps) Validate(Config.Steps, observer);
        writer.Save(Capture(Config.Steps, seconds, tokens), Config.KeepCheckpoints);
        writer.Wait();
        var result = new StageResult(
            Config.Name, Config.Steps, seconds, tokens / Math.Max(seconds, 1e-9), losses.FirstOrDefault(), losses.LastOrDefault(), losses, validations)
        {
            DataWait = waiting.Elapsed / watch.Elapsed,
            Tuning = trained.Graph.Plan.Stages[index].Tuning?.Plugin.Description.Id,
            TrainableParameters = trained.Trainable,
            TotalParameters = trained.Total,
            OptimizerAndGradientMegabytes = Math.Round(trained.OptimizerAndGradientBytes / 1e6, 4),
            PeakMegabytes = Math.Round(ProcessMemory.Peak / 1e6, 1),
        };
        observer.StageFinished(result);
        return result;
    }

    /// <summary>Gives the graph back and lets swaps go on without it.</summary>
    public void Dispose()
    {
        trained.Dispose();
        boundaries.Dispose();
    }

    /// <returns>Null when the step was skipped.</returns>
    private StepReport? Step(int step, AccumulationWindow window)
    {
        using var generator = get_rng_state();
        var parts = window.Differentiate(trained);
        var loss = parts.Values.Sum();
        var began = Stopwatch.GetTimestamp();
        var stepped = trained.Step(step);
        profile?.AddOptimizer(began);
        if (stepped is not { } norm)
        {
            if (double.IsFinite(loss))
            {
                trained.Balance?.Forget();
                return null;
            }
            norm = double.NaN; // no scale helps a loss
        }
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
        {
            set_rng_state(generator); // the same dropout as in the step
            throw new RunFailedException(
                $"Stage '{Config.Name}', step {step + 1}: the loss is {loss} and the gradient norm {norm}. {new NonFiniteSearch(trained).Run(window)} " +
                $"Lower 'learningRate' ({Config.LearningRate}) or 'clip' ({Config.Clip}) if the numbers have grown by themselves.");
        }
        trained.Balance?.Observe(parts);
        return new StepReport(step + 1, Config.Steps, loss, parts, trained.RateAt(step), norm, 0, TimeSpan.Zero);
    }

    // Only the trained graph changes: losses, position and data stream go on.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Follow()
    {
        var former = trained;
        former.Thaw(); // what both versions share is frozen anew by the next
        trained = new TrainedGraph(live.Acquire(), index, profile, weighting, tuning);
        trained.Carry(former);
        former.Dispose();
        trained.Graph.Train(true);
    }

    /// <summary>Tries a new version on the next batches; throws when it fails or its loss is no finite number.</summary>
    private void Probe(ExecutableGraph next, Batch batch)
    {
        StageParameters.Check(next);
        using var generator = get_rng_state();
        using var _ = no_grad();
        try
        {
            var steps = next.StepsFor(next.Objectives(index).SelectMany(objective => objective.InputSlots));
            using var scope = NewDisposeScope();
            var slots = AccumulationWindow.Fill(next, batch);
            ExecutableGraph.Run(steps, slots);
            foreach (var objective in next.Objectives(index))
                if (objective.Objective.Sum(AccumulationWindow.Inputs(objective, slots)).ToDouble() is var loss && !double.IsFinite(loss))
                    throw new RunFailedException($"the loss of '{objective.Name}' is {loss} on its first batch");
        }
        finally
        {
            set_rng_state(generator);
        }
    }

    private static bool IsDue(int every, int step) => every > 0 && (step + 1) % every == 0;

    private bool IsBest(int step) => validations.Count > 0 && validations[^1].Step == step && validations[^1].Loss <= validations.Min(point => point.Loss);

    private void Validate(int step, IRunObserver observer)
    {
        var samples = data.Load("validation", ValidationSamples, []);
        if (samples.Count == 0) return;
        trained.Graph.Train(false);
        using (StepGate.Enter())
        using (var batch = data.CollateTurns(samples, Config.Tasks, Config.Turns, seed, Candidates, Config.TaskWeights))
        {
            var loss = ValidationLoss(batch);
            using var averaged = trained.Average?.Use();
            validations.Add(new ValidationPoint(step, loss, averaged is null ? null : ValidationLoss(batch)));
        }
        trained.Graph.Train(true);
        observer.Validated(Config.Name, validations[^1]);
    }

    private double ValidationLoss(Batch batch)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var slots = AccumulationWindow.Fill(trained.Graph, batch);
        ExecutableGraph.Run(trained.CreateSteps(), slots);
        double total = 0;
        foreach (var objective in trained.Objectives)
        {
            var inputs = AccumulationWindow.Inputs(objective, slots);
            var count = objective.Objective.Count(inputs);
            if (count > 0) total += objective.Weight * objective.Objective.Sum(inputs).ToDouble() / count;
        }
        return total;
    }

    private TrainingState Capture(int step, double seconds, long tokens)
    {
        var tensors = trained.State().ToDictionary(item => item.Name, item => item.Value);
        tensors[TrainingState.Generator] = get_rng_state();
        if (weighting is not null) tensors[TrainingState.Weighting] = tensor(weighting.State.ToArray()).DetachFromDisposeScope();
        return new TrainingState(index, step, seconds, tokens, [.. losses], [.. validations], tensors) { IsBest = IsBest(step) };
    }

    private (int Step, double Seconds, long Tokens) Restore(TrainingState state)
    {
        trained.Restore(state.Tensors);
        set_rng_state(state.Tensors[TrainingState.Generator]);
        if (weighting is not null)
            weighting.Restore(state.Tensors.TryGetValue(TrainingState.Weighting, out var saved)
                ? saved.data<double>().ToArray()
                : throw new RunFailedException($"The checkpoint has no state of a weighting, which stage '{Config.Name}' asks for now: resume with the settings that it was made with."));
        losses.AddRange(state.Losses);
        validations.AddRange(state.Validations);
        return (state.Step, state.Seconds, state.Tokens);
    }
}
