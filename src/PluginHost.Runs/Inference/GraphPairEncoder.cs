using PluginHost.Catalog;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Inference;

/// <summary>
/// The towers of a trained graph that reads pairs: queries and passages become vectors of length 1 in one space. Safe for concurrent calls, which take turns. Disposed, it
/// holds nothing of the graph, whoever holds it.
/// </summary>
public sealed class GraphPairEncoder : IQueryEncoder, IDisposable
{
    private const int BatchSize = 256;

    private readonly Lock gate = new();
    private readonly PairSpace space;
    private ExecutableGraph? graph;
    private Dataset? data;
    private ExecutionStep[] queries;
    private ExecutionStep[] passages;

    /// <param name="graph">The graph with its weights; not disposed.</param>
    /// <param name="data">Makes its batches; not disposed.</param>
    /// <param name="model">Name of the run, for messages.</param>
    /// <exception cref="UserErrorException">The graph brings no queries and passages into one space.</exception>
    public GraphPairEncoder(ExecutableGraph graph, Dataset data, string model)
    {
        space = PairSpace.Of(graph.Plan) ?? throw new UserErrorException($"the run '{model}' has no contrastive objective (inputs 'query' and 'key') over 'sample.query' and 'sample.passage', so it encodes no passages; name a run that has one");
        (this.graph, this.data) = (graph, data);
        (queries, passages) = (graph.StepsFor([space.Query]), graph.StepsFor([space.Passage]));
        Width = Encode([""], passages: false)[0].Length;
    }

    /// <summary>Width of the vectors.</summary>
    public int Width { get; }

    /// <inheritdoc/>
    public ReadOnlyMemory<float> Encode(string query) => Encode([query], passages: false)[0];

    /// <summary>Encodes passages; a text of nothing is zeros.</summary>
    public IReadOnlyList<float[]> Passages(IReadOnlyList<string> texts) => [.. texts.Chunk(BatchSize).SelectMany(chunk => Encode(chunk, passages: true))];

    /// <summary>Encodes queries; a text of nothing is zeros.</summary>
    public IReadOnlyList<float[]> Queries(IReadOnlyList<string> texts) => [.. texts.Chunk(BatchSize).SelectMany(chunk => Encode(chunk, passages: false))];

    public void Dispose()
    {
        lock (gate) (graph, data, queries, passages) = (null, null, [], []);
    }

    private float[][] Encode(IReadOnlyList<string> texts, bool passages)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(graph is null || data is null, this);
            using var pass = StepGate.Enter();
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            using var batch = data.CollatePairs(texts, passages);
            return passages ? PooledVectors.Of(graph, this.passages, space.Passage, batch) : PooledVectors.Of(graph, queries, space.Query, batch);
        }
    }
}
