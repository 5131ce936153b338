using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;

namespace PluginHost.Runs.Inference;

/// <summary>
/// The ranking objective of a trained graph without a decoder as a scorer of passages: the query is the question, the passages are its candidates. Safe for concurrent calls,
/// which take turns. Disposed, it holds nothing of the graph, whoever holds it.
/// </summary>
public sealed class GraphPassageScorer : IPassageScorer, IDisposable
{
    /// <summary>Passages at a time; more would take memory and no less time.</summary>
    private const int BatchSize = 128;

    private readonly Lock gate = new();
    private CandidateScores? scores;

    /// <param name="graph">The graph with its weights; not disposed.</param>
    /// <param name="data">Makes its batches; not disposed.</param>
    /// <param name="model">Name of the run, for messages.</param>
    /// <exception cref="UserErrorException">The graph has nothing that ranks.</exception>
    public GraphPassageScorer(ExecutableGraph graph, Dataset data, string model)
    {
        var ranking = graph.Ranking ?? throw new UserErrorException($"the run '{model}' has no objective that ranks candidates (an input from 'sample.candidates', and no decoder), so it scores no passages; name a run that has one");
        scores = new CandidateScores(graph, data, ranking);
    }

    /// <inheritdoc/>
    public IReadOnlyList<float> Score(string query, IReadOnlyList<string> passages) => [.. passages.Chunk(BatchSize).SelectMany(chunk => ScoreOnce(query, chunk))];

    public void Dispose()
    {
        lock (gate) scores = null;
    }

    private float[] ScoreOnce(string query, string[] passages)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(scores is null, this);
            var (sample, question) = (new Sample("query"), new Turn("", query, ""));
            return scores.Of([.. passages.Chunk(CandidateScores.InRow).Select(row => (sample, question, (IReadOnlyList<string>)row))], []);
        }
    }
}
