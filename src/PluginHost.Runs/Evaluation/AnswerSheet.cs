using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Runs.Generation;
using PluginHost.Sdk;

namespace PluginHost.Runs.Evaluation;

/// <summary>What the model answers, each question asked once whatever the number of metrics.</summary>
internal sealed class AnswerSheet(ExecutableGraph graph, Dataset data, int batchSize, IRunObserver observer, CancellationToken cancellation)
{
    private readonly Dictionary<(string Control, string Sample, string Task, string Prompt), Prediction> known = [];

    /// <summary>Answers questions, or finds the answers.</summary>
    /// <param name="asked">Samples and their questions.</param>
    /// <param name="blank">Modalities to be blanked.</param>
    /// <param name="control">What sets this asking apart from others: <c>shuffled</c>; empty for the samples as they are.</param>
    /// <param name="what">For the progress.</param>
    public List<Prediction> Ask(IReadOnlyList<(Sample Sample, Turn Turn)> asked, IReadOnlyList<string> blank, string control, string what)
    {
        (string, string, string, string) Key((Sample Sample, Turn Turn) row) => ($"{control} {string.Join(' ', blank)}", row.Sample.Id, row.Turn.Task, row.Turn.Prompt);
        var missing = asked.Where(row => !known.ContainsKey(Key(row))).ToList();
        if (missing.Count > 0)
            foreach (var (row, prediction) in missing.Zip(Generate(missing, [.. blank], what))) known[Key(row)] = prediction;
        return [.. asked.Select(row => known[Key(row)])];
    }

    private IEnumerable<Prediction> Generate(IReadOnlyList<(Sample Sample, Turn Turn)> asked, string[] blank, string what)
    {
        void Progress(int done) => observer.Evaluating(what, done, asked.Count);
        if (graph.Decoder is null)
            return new AnswerRanker(graph, data).Answer(asked, blank, Progress, cancellation).Zip(asked, (text, row) => new Prediction(row.Sample.Id, row.Turn, text));
        return new TextGenerator(graph, data).Answer(asked, blank, new Sampling(), batchSize, Progress, cancellation: cancellation)
            .Zip(asked, (answer, row) => new Prediction(row.Sample.Id, row.Turn, answer.Text) { Confidence = answer.Confidence });
    }
}
