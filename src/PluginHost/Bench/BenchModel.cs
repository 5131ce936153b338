using Microsoft.Extensions.AI;
using PluginHost.Runs.Chat;
using PluginHost.Runs.Decoding;
using PluginHost.Sdk;
using PluginHost.Serving.Models;

namespace PluginHost.Bench;

/// <summary>A workspace's model as it is, trained or not, to be served for a measurement.</summary>
internal sealed class BenchModel(Workspace workspace, LiveDecoder decoder) : IServedModel
{
    public string Id => workspace.Project.Name;

    public DateTimeOffset Created => DateTimeOffset.UnixEpoch;

    public ModelState State => ModelState.Ready;

    public string? Failure => null;

    public IChatClient Chat { get; } = new GraphChatClient(decoder, workspace.Data, workspace.Media, workspace.Plan.Modalities, workspace.Project.Name);

    public IEmbeddingGenerator<AIContent, Embedding<float>>? Embeddings => null;

    public ITokenizer? Tokenizer => workspace.Data.Tokenizer;

    public int? ContextLength => decoder.Length;

    public BatchFigures? Figures => decoder.Figures;

    public Task LoadAsync(CancellationToken cancellation = default) => Task.CompletedTask;

    public Task UnloadAsync(CancellationToken cancellation = default) => Task.CompletedTask;
}
