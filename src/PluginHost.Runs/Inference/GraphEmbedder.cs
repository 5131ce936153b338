using Microsoft.Extensions.AI;
using PluginHost.Catalog;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Inference;

/// <summary>
/// The encoders of a trained graph as an embedding generator: texts, pictures and sounds become vectors of length 1 in the space that its contrastive
/// objective has made. Safe for concurrent calls, which take turns. Disposed, it holds nothing of the graph, whoever holds it.
/// </summary>
public sealed class GraphEmbedder : IEmbeddingGenerator<AIContent, Embedding<float>>, IPassageEncoder
{
    private const int BatchSize = 64;

    private readonly Lock gate = new();
    private readonly string model;
    private readonly string language;
    private readonly Lazy<int> width;
    private ExecutableGraph? graph;
    private Dataset? data;
    private InlineMedia? media;
    private Dictionary<SamplePort, (int Slot, ExecutionStep[] Steps)> towers;

    /// <param name="graph">The graph with its weights; not disposed.</param>
    /// <param name="data">Makes its batches; not disposed.</param>
    /// <param name="media">Decodes media.</param>
    /// <param name="model">Name of the run, for messages.</param>
    /// <param name="language">Under which a text stands as a caption.</param>
    /// <exception cref="UserErrorException">The graph has no space that texts and media share.</exception>
    public GraphEmbedder(ExecutableGraph graph, Dataset data, InlineMedia media, string model, string language)
    {
        (this.graph, this.data, this.media, this.model, this.language) = (graph, data, media, model, language);
        towers = SharedSpace.Of(graph.Plan).ToDictionary(tower => tower.Key, tower => (tower.Value, graph.StepsFor([tower.Value])));
        if (towers.Count == 0) throw new UserErrorException($"the run '{model}' has no contrastive objective between its texts and a medium, so there is no space to embed into");
        width = new(() => Encode("").Length);
    }

    /// <inheritdoc/>
    public int Width => width.Value;

    /// <inheritdoc/>
    public bool ReadsPictures
    {
        get
        {
            lock (gate) return towers.ContainsKey(SamplePort.Image) && towers.ContainsKey(SamplePort.Caption);
        }
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<float> Encode(string query) => Vectors([new TextContent(query)], CancellationToken.None)[0];

    /// <inheritdoc/>
    public IReadOnlyList<float[]> Queries(IReadOnlyList<AIContent> contents) => Vectors(contents, CancellationToken.None);

    /// <inheritdoc/>
    public IReadOnlyList<float[]> Passages(IReadOnlyList<AIContent> contents) => Vectors(contents, CancellationToken.None);

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<AIContent> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(Vectors([.. values], cancellationToken).Select(vector => new Embedding<float>(vector) { ModelId = model })));

    private float[][] Vectors(IReadOnlyList<AIContent> values, CancellationToken cancellation)
    {
        var inputs = values.Select((value, index) => (Index: index, Port: PortOf(value), Value: value)).ToList();
        var vectors = new float[inputs.Count][];
        foreach (var chunk in inputs.GroupBy(input => input.Port).SelectMany(group => group.Chunk(BatchSize)))
        {
            cancellation.ThrowIfCancellationRequested();
            // Decoding goes side by side; the encoders are asked by one at a time.
            Sample[] samples = [.. chunk.Select(input => SampleOf(input.Port, input.Value, cancellation))];
            var rows = Embed(chunk[0].Port, samples);
            for (var row = 0; row < rows.Length; row++) vectors[chunk[row].Index] = rows[row];
        }
        return vectors;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(EmbeddingGeneratorMetadata) ? new EmbeddingGeneratorMetadata("pluginhost", defaultModelId: model)
        : serviceType.IsInstanceOfType(this) ? this
        : null;

    public void Dispose()
    {
        lock (gate) (graph, data, media, towers) = (null, null, null, []);
    }

    private SamplePort PortOf(AIContent value)
    {
        var port = value switch
        {
            TextContent => SamplePort.Caption,
            DataContent data when data.HasTopLevelMediaType("image") => SamplePort.Image,
            DataContent data when data.HasTopLevelMediaType("audio") => SamplePort.Audio,
            DataContent data => throw new UserErrorException($"the run '{model}' cannot embed '{data.MediaType}'; it embeds {Known()}"),
            _ => throw new UserErrorException($"the run '{model}' cannot embed {value.GetType().Name}; it embeds {Known()}"),
        };
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(graph is null, this);
            if (!towers.ContainsKey(port))
                throw new UserErrorException($"the run '{model}' has no contrastive objective between text and {SamplePorts.NameOf(port)}, so it cannot embed {SamplePorts.NameOf(port)}; it embeds {Known()}");
        }
        return port;
    }

    private string Known() => string.Join(" and ", towers.Keys.Order().Select(port => port == SamplePort.Caption ? "text" : SamplePorts.NameOf(port)));

    private Sample SampleOf(SamplePort port, AIContent value, CancellationToken cancellation)
    {
        if (port == SamplePort.Caption) return new Sample("text") { Texts = new Dictionary<string, string> { [language] = ((TextContent)value).Text } };
        var modality = SamplePorts.NameOf(port);
        var decoders = media;
        ObjectDisposedException.ThrowIf(decoders is null, this);
        var content = decoders.Decode((DataContent)value, modality, cancellation);
        return port == SamplePort.Image ? new Sample(modality) { Image = content } : new Sample(modality) { Audio = content };
    }

    private float[][] Embed(SamplePort port, Sample[] samples)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(graph is null || data is null, this);
            using var pass = StepGate.Enter();
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            using var batch = data.CollateCaptions(samples, language);
            var (slot, steps) = towers[port];
            return PooledVectors.Of(graph, steps, slot, batch);
        }
    }
}
