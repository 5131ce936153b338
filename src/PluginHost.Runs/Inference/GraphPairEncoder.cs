using Microsoft.Extensions.AI;
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
public sealed class GraphPairEncoder : IPassageEncoder, IDisposable
{
    private const int BatchSize = 256;

    private readonly Lock gate = new();
    private readonly string model;
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
        (this.graph, this.data, this.model) = (graph, data, model);
        (queries, passages) = (graph.StepsFor([space.Query]), graph.StepsFor([space.Passage]));
        Width = Encode([""], passages: false)[0].Length;
    }

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    public bool ReadsPictures => false;

    /// <inheritdoc/>
    public ReadOnlyMemory<float> Encode(string query) => Encode([query], passages: false)[0];

    /// <inheritdoc/>
    public IReadOnlyList<float[]> Passages(IReadOnlyList<AIContent> contents) => [.. contents.Chunk(BatchSize).SelectMany(chunk => Encode(Texts(chunk), passages: true))];

    /// <inheritdoc/>
    public IReadOnlyList<float[]> Queries(IReadOnlyList<AIContent> contents) => [.. contents.Chunk(BatchSize).SelectMany(chunk => Encode(Texts(chunk), passages: false))];

    public void Dispose()
    {
        lock (gate) (graph, data, queries, passages) = (null, null, [], []);
    }

    private string[] Texts(AIContent[] contents) => [.. contents.Select(content => content is TextContent text
        ? text.Text
        : throw new UserErrorException($"the towers of the run '{model}' read texts alone; what finds pictures is a run with a contrastive objective between text and image"))];

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
