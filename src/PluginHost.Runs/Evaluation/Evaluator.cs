using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Evaluation;

/// <summary>
/// Runs the evaluations of a project, each beside its blind control: the same model with its media blanked. What is measured over videos stands
/// beside a second control: the same model shown their frames in random order.
/// </summary>
/// <param name="graph">The graph with its weights.</param>
/// <param name="data">Where samples come from.</param>
/// <param name="metrics">The metric of each evaluation of the plan.</param>
/// <param name="language">Language of captions where an evaluation names none.</param>
public sealed class Evaluator(ExecutableGraph graph, Dataset data, IReadOnlyList<object> metrics, string language)
{
    private const int BatchSize = 64;
    private const int ExamplesPerSplit = 12;
    private static readonly string[] Media = ["image", "audio", "video"];

    private readonly GraphPlan plan = graph.Plan;
    private readonly Dictionary<(string Split, string Sample), Example> examples = [];
    private readonly Dictionary<(string Split, string Sample, string Task, string Prompt), GivenAnswer> answers = [];
    private AnswerSheet sheet = null!;

    /// <summary>Whether an evaluation that cannot be made is noted, and the others go on.</summary>
    public bool Lenient { get; init; }

    /// <param name="observer">Told how far it has come.</param>
    /// <param name="cancellation">Ends the evaluation between batches.</param>
    public EvaluationReport Run(IRunObserver observer, CancellationToken cancellation)
    {
        graph.Train(false);
        using var _ = no_grad();
        sheet = new AnswerSheet(graph, data, BatchSize, observer, cancellation);
        var results = new List<EvaluationResult>();
        var problems = new List<string>();
        for (var i = 0; i < plan.Evaluations.Count; i++)
        {
            try
            {
                var known = results.Count;
                results.AddRange(Evaluate(plan.Evaluations[i], metrics[i], cancellation));
                if (results.Count == known && Lenient) throw new UserErrorException(NothingFound(plan.Evaluations[i]));
            }
            catch (UserErrorException error) when (Lenient)
            {
                problems.Add($"{plan.Evaluations[i].Metric.Description.Id}: {error.Message}");
            }
        }
        return new EvaluationReport(results, [.. examples.Values]) { Answers = [.. answers.Values], Problems = problems };
    }

    private IEnumerable<EvaluationResult> Evaluate(PlannedEvaluation evaluation, object metric, CancellationToken cancellation)
    {
        var results = new List<EvaluationResult>();
        var (config, node) = (evaluation.Config, evaluation.Metric);
        foreach (var split in config.Splits.Intersect(data.Source.Splits))
        {
            var samples = data.Load(split, config.Limit, config.Require);
            if (samples.Count == 0) continue;
            results.AddRange(metric switch
            {
                IEmbeddingMetric embeddings => Embeddings(embeddings, config, node, split, samples, cancellation),
                ITextMetric texts => Texts((predictions, _) => texts.Compute(predictions), resample: true, config, split, samples),
                SurroundedMetric media => Texts((predictions, asked) => media.Metric.Compute([.. asked.Zip(predictions, (sample, said) => new JudgedAnswer(sample, said))], media.Context()), resample: false, config, split, samples),
                var other => throw new UserErrorException($"{node.Description.Id}: {other.GetType().Name} is a metric neither of answers nor of embeddings."),
            });
        }
        return results;
    }

    private string NothingFound(PlannedEvaluation evaluation)
    {
        var config = evaluation.Config;
        var tasks = config.Splits.Intersect(data.Source.Splits).SelectMany(split => data.Load(split, 20, [])).SelectMany(sample => sample.Turns).Select(turn => turn.Task).Distinct().Order(StringComparer.Ordinal).Take(12).ToList();
        return $"it found nothing to rate on [{string.Join(", ", config.Splits)}]{(config.Tasks.Count == 0 ? "" : $" of the tasks [{string.Join(", ", config.Tasks)}]")}; the splits are {string.Join(", ", data.Source.Splits)}{(tasks.Count == 0 ? ", without questions" : $", with the tasks {string.Join(", ", tasks)}")}";
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
        var asked = Bootstrap.KeyOf(samples.Select(sample => $"{split} {sample.Id} {wanted}"));
        return [.. metric.Compute(query, key, groups).Select(value => new EvaluationResult(
            $"{value.Name}:{label}", split, value.Value, blind.TryGetValue(value.Name, out var control) ? control : null, samples.Count, value.Note)
        {
            Shuffled = shuffled?.GetValueOrDefault(value.Name),
            LowerIsBetter = value.LowerIsBetter,
            Asked = asked,
            Draws = value.Items.Count == 0 ? [] : Bootstrap.OfMean(value.Items, null, asked),
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

    private delegate IReadOnlyList<MetricValue> Rating(IReadOnlyList<Prediction> predictions, IEnumerable<Sample> samples);

    private List<EvaluationResult> Texts(Rating rate, bool resample, EvaluationConfig config, string split, IReadOnlyList<Sample> samples)
    {
        var asked = samples.SelectMany(sample => sample.Turns.Where(turn => TaskFilter.Matches(config.Tasks, turn.Task)).Select(turn => (sample, turn))).ToList();
        if (asked.Count == 0) return [];
        var needs = Media.Where(modality => asked.Any(row => row.turn.Needs.Contains(modality))).ToList();
        var about = asked.Select(row => row.sample).ToList();
        var what = $"{config.Metric.Use.Id} on {split}";
        var open = sheet.Ask(asked, [], "", what);
        var blind = sheet.Ask(asked, Media, "", $"{what}, blind");
        Remember(split, samples, open, blind);
        var results = Compare(rate, resample, split, open, [blind, Majority(open)], about);
        if (asked.Any(row => FrameOrder.Matters(row.sample)))
        {
            var shuffled = sheet.Ask([.. asked.Select(row => (FrameOrder.Shuffle(row.sample), row.turn))], [], "shuffled", $"{what}, frames shuffled");
            var values = rate(shuffled, about).ToDictionary(value => value.Name, value => value.Value);
            results = [.. results.Select(result => result with { Shuffled = values.GetValueOrDefault(result.Metric) })];
        }
        // What compares the whole with one modality less is a matter of one number: the metric's first.
        if (needs.Count < 2) return results;
        foreach (var modality in needs)
        {
            // Only this one is taken away: what the others tell stays.
            var indices = Enumerable.Range(0, asked.Count).Where(i => asked[i].turn.Needs.Contains(modality)).ToList();
            var without = sheet.Ask([.. indices.Select(i => asked[i])], [modality], "", $"{what} without {modality}");
            if (Compare(rate, resample, split, [.. indices.Select(i => open[i])], [without], [.. indices.Select(i => about[i])]) is [var whole, ..])
                results.Add(whole with { Metric = $"{whole.Metric}:needs-{modality}" });
        }
        return results;
    }

    private static List<EvaluationResult> Compare(
        Rating rate, bool resample, string split, IReadOnlyList<Prediction> open, IReadOnlyList<IReadOnlyList<Prediction>> controls, IReadOnlyList<Sample> about)
    {
        var blind = controls.Select(control => Control(rate, control, about)).ToList();
        var asked = Bootstrap.KeyOf(open.Select(prediction => $"{split} {prediction.SampleId} {prediction.Turn.Task} {prediction.Turn.Prompt}"));
        var corpus = new Lazy<IReadOnlyList<IReadOnlyDictionary<string, double>>>(() => resample ? Bootstrap.OfCorpus(open, asked, drawn => rate(drawn, [])) : []);
        return [.. rate(open, about).Select(value =>
        {
            double[] found = [.. blind.Where(control => control.ContainsKey(value.Name)).Select(control => control[value.Name])];
            return new EvaluationResult(value.Name, split, value.Value, found.Length == 0 ? null : value.LowerIsBetter ? found.Min() : found.Max(), value.Count ?? open.Count, value.Note)
            {
                LowerIsBetter = value.LowerIsBetter,
                Asked = asked,
                Draws = Bootstrap.Of(value, open, asked, corpus),
            };
        })];
    }

    // What cannot be rated (the majority's answers, of which nobody is sure) is no control.
    private static Dictionary<string, double> Control(Rating rate, IReadOnlyList<Prediction> predictions, IReadOnlyList<Sample> about)
    {
        try
        {
            return rate(predictions, about).ToDictionary(value => value.Name, value => value.Value);
        }
        catch (UserErrorException)
        {
            return [];
        }
    }

    /// <summary>The most frequent right answer of each task, given to all its questions: what guessing well reaches.</summary>
    private static List<Prediction> Majority(IReadOnlyList<Prediction> predictions)
    {
        var majority = predictions.GroupBy(p => p.Turn.Task).ToDictionary(
            task => task.Key, task => task.GroupBy(p => p.Turn.Answer).OrderByDescending(answer => answer.Count()).ThenBy(answer => answer.Key, StringComparer.Ordinal).First().Key);
        return [.. predictions.Select(p => p with { Text = majority[p.Turn.Task], Confidence = null })];
    }

    private void Remember(string split, IReadOnlyList<Sample> samples, IReadOnlyList<Prediction> open, IReadOnlyList<Prediction> blind)
    {
        foreach (var (said, without) in open.Zip(blind)) answers[(split, said.SampleId, said.Turn.Task, said.Turn.Prompt)] = new GivenAnswer(split, said, without.Text);
        var bySample = open.ToLookup(prediction => prediction.SampleId);
        foreach (var sample in samples.Take(ExamplesPerSplit))
        {
            var known = examples.TryGetValue((split, sample.Id), out var example) ? example.Answers : [];
            examples[(split, sample.Id)] = new Example(split, sample, [.. known, .. bySample[sample.Id].Where(p => known.All(k => k.Turn != p.Turn))]);
        }
    }
}
