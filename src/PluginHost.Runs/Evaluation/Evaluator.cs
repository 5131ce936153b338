using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Runs.Generation;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Evaluation;

/// <summary>
/// Runs the evaluations of a project, each beside its blind control: the same model with its media blanked. What is measured over videos stands
/// beside a second control: the same model shown their frames in random order.
/// </summary>
public sealed class Evaluator(ExecutableGraph graph, Dataset data, IReadOnlyList<object> metrics, string language)
{
    private const int BatchSize = 64;
    private readonly GraphPlan plan = graph.Plan;
    private const int ExamplesPerSplit = 12;
    private static readonly string[] Media = ["image", "audio", "video"];

    /// <param name="observer">Told how far it has come.</param>
    /// <param name="cancellation">Ends the evaluation between batches.</param>
    public EvaluationReport Run(IRunObserver observer, CancellationToken cancellation)
    {
        graph.Train(false);
        using var _ = no_grad();
        var results = new List<EvaluationResult>();
        var examples = new Dictionary<(string, string), Example>();
        for (var i = 0; i < plan.Evaluations.Count; i++)
        {
            var (config, node) = plan.Evaluations[i];
            foreach (var split in config.Splits.Intersect(data.Source.Splits))
            {
                var samples = data.Load(split, config.Limit, config.Require);
                if (samples.Count == 0) continue;
                results.AddRange(metrics[i] switch
                {
                    IEmbeddingMetric metric => Embeddings(metric, config, node, split, samples, cancellation),
                    ITextMetric metric => Texts(metric, config, split, samples, examples, observer, cancellation),
                    var other => throw new UserErrorException($"{node.Description.Id}: {other.GetType().Name} is neither a text nor an embedding metric."),
                });
            }
        }
        return new EvaluationReport(results, [.. examples.Values]);
    }

    private IEnumerable<EvaluationResult> Embeddings(
        IEmbeddingMetric metric, EvaluationConfig config, PlannedNode node, string split, IReadOnlyList<Sample> samples, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var wanted = config.Language ?? language;
        samples = [.. samples.Where(sample => sample.Texts.ContainsKey(wanted))];
        if (samples.Count == 0) return [];
        var texts = samples.Select(sample => sample.Texts[wanted]).ToList();
        var numbers = texts.Distinct().Select((text, number) => (text, number)).ToDictionary(pair => pair.text, pair => pair.number);
        var groups = texts.Select(text => numbers[text]).ToList();
        var slots = node.Inputs.Select(input => input.Slot).ToArray();
        var (query, key) = Embed(samples, slots, wanted, [], cancellation);
        var (blindQuery, blindKey) = Embed(samples, slots, wanted, Media, cancellation);
        var blind = metric.Compute(blindQuery, blindKey, groups).ToDictionary(value => value.Name, value => value.Value);
        var shuffled = samples.Any(FrameOrder.Matters) ? Shuffled() : null;
        var label = config.Label ?? string.Join("->", node.Inputs.Select(input => (input.Source ?? input.Name).Split('.')[0]));
        return [.. metric.Compute(query, key, groups).Select(value => new EvaluationResult(
            $"{value.Name}:{label}", split, value.Value, blind.TryGetValue(value.Name, out var control) ? control : null, samples.Count, value.Note)
        {
            Shuffled = shuffled?.GetValueOrDefault(value.Name),
        })];

        Dictionary<string, double> Shuffled()
        {
            var (query, key) = Embed([.. samples.Select(FrameOrder.Shuffle)], slots, wanted, [], cancellation);
            return metric.Compute(query, key, groups).ToDictionary(value => value.Name, value => value.Value);
        }
    }

    private (Tensor Query, Tensor Key) Embed(
        IReadOnlyList<Sample> samples, int[] slots, string wanted, string[] blank, CancellationToken cancellation)
    {
        var steps = graph.StepsFor(slots);
        var (queries, keys) = (new List<Tensor>(), new List<Tensor>());
        foreach (var chunk in samples.Chunk(BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            using var pass = StepGate.Enter();
            using var inner = NewDisposeScope();
            using var batch = data.CollateCaptions(chunk, wanted);
            using var blanked = batch.Blank(blank);
            var values = graph.CreateSlots();
            SlotFiller.Fill(plan, blanked, values);
            ExecutableGraph.Run(steps, values);
            queries.Add(((Tensor)values[slots[0]]!).MoveToOuterDisposeScope());
            keys.Add(((Tensor)values[slots[1]]!).MoveToOuterDisposeScope());
        }
        return (cat(queries), cat(keys));
    }

    private List<EvaluationResult> Texts(
        ITextMetric metric, EvaluationConfig config, string split, IReadOnlyList<Sample> samples,
        Dictionary<(string, string), Example> examples, IRunObserver observer, CancellationToken cancellation)
    {
        var asked = samples.SelectMany(sample => sample.Turns.Where(turn => TaskFilter.Matches(config.Tasks, turn.Task)).Select(turn => (sample, turn))).ToList();
        if (asked.Count == 0) return [];
        var needs = Media.Where(modality => asked.Any(row => row.turn.Needs.Contains(modality))).ToList();
        var open = Ask(asked, [], $"{config.Metric.Use.Id} on {split}", observer, cancellation);
        Remember(examples, split, samples, open);
        var blind = Ask(asked, Media, $"{config.Metric.Use.Id} on {split}, blind", observer, cancellation);
        var results = Compare(metric, split, open, [blind, Majority(open)]);
        if (asked.Any(row => FrameOrder.Matters(row.sample)))
        {
            var shuffled = Ask([.. asked.Select(row => (FrameOrder.Shuffle(row.sample), row.turn))], [], $"{config.Metric.Use.Id} on {split}, frames shuffled", observer, cancellation);
            var values = metric.Compute(shuffled).ToDictionary(value => value.Name, value => value.Value);
            results = [.. results.Select(result => result with { Shuffled = values.GetValueOrDefault(result.Metric) })];
        }
        if (needs.Count < 2) return results;
        foreach (var modality in needs)
        {
            // Only this one is taken away: what the others tell stays.
            var indices = Enumerable.Range(0, asked.Count).Where(i => asked[i].turn.Needs.Contains(modality)).ToList();
            var without = Ask([.. indices.Select(i => asked[i])], [modality], $"{config.Metric.Use.Id} on {split} without {modality}", observer, cancellation);
            var whole = Compare(metric, split, [.. indices.Select(i => open[i])], [without])[0];
            results.Add(whole with { Metric = $"{whole.Metric}:needs-{modality}" });
        }
        return results;
    }

    private static List<EvaluationResult> Compare(ITextMetric metric, string split, IReadOnlyList<Prediction> open, IReadOnlyList<IReadOnlyList<Prediction>> controls)
    {
        var blind = controls.Select(control => metric.Compute(control).ToDictionary(value => value.Name, value => value.Value)).ToList();
        return [.. metric.Compute(open).Select(value => new EvaluationResult(
            value.Name, split, value.Value, blind.Max(control => control.GetValueOrDefault(value.Name)), value.Count ?? open.Count, value.Note))];
    }

    private List<Prediction> Ask(
        IReadOnlyList<(Sample Sample, Turn Turn)> asked, string[] blank, string what, IRunObserver observer, CancellationToken cancellation)
    {
        void Progress(int done) => observer.Evaluating(what, done, asked.Count);
        if (graph.Decoder is null)
        {
            var ranked = new AnswerRanker(graph, data).Answer(asked, blank, Progress, cancellation);
            return [.. asked.Select((row, i) => new Prediction(row.Sample.Id, row.Turn, ranked[i]))];
        }
        var answers = new TextGenerator(graph, data).Answer(asked, blank, new Sampling(), BatchSize, Progress, cancellation);
        return [.. asked.Select((row, i) => new Prediction(row.Sample.Id, row.Turn, answers[i].Text) { Confidence = answers[i].Confidence })];
    }

    /// <summary>The most frequent right answer of each task, given to all its questions: what guessing well reaches.</summary>
    private static List<Prediction> Majority(IReadOnlyList<Prediction> predictions)
    {
        var majority = predictions.GroupBy(p => p.Turn.Task).ToDictionary(
            task => task.Key, task => task.GroupBy(p => p.Turn.Answer).OrderByDescending(answer => answer.Count()).ThenBy(answer => answer.Key, StringComparer.Ordinal).First().Key);
        return [.. predictions.Select(p => p with { Text = majority[p.Turn.Task] })];
    }

    private static void Remember(
        Dictionary<(string, string), Example> examples, string split, IReadOnlyList<Sample> samples, IReadOnlyList<Prediction> predictions)
    {
        var bySample = predictions.ToLookup(prediction => prediction.SampleId);
        foreach (var sample in samples.Take(ExamplesPerSplit))
        {
            var known = examples.TryGetValue((split, sample.Id), out var example) ? example.Answers : [];
            examples[(split, sample.Id)] = new Example(split, sample, [.. known, .. bySample[sample.Id].Where(p => known.All(k => k.Turn != p.Turn))]);
        }
    }
}
