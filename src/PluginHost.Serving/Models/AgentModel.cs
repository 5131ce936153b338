using Microsoft.Extensions.AI;
using PluginHost.Config;
using PluginHost.Runs.Decoding;
using PluginHost.Sdk;
using PluginHost.Tools.Agents;
using PluginHost.Tools.Registry;

namespace PluginHost.Serving.Models;

/// <summary>An agent as a served model: another served model that calls tools until it has an answer.</summary>
public sealed class AgentModel : IServedModel
{
    private readonly AgentConfig config;
    private readonly IServedModel thinking;
    private readonly ToolRegistry registry;
    private readonly string transcripts;

    private AgentModel(AgentConfig config, IServedModel thinking, ToolRegistry registry, string transcripts) =>
        (this.config, this.thinking, this.registry, this.transcripts) = (config, thinking, registry, transcripts);

    /// <inheritdoc/>
    public string Id => config.Id;

    /// <inheritdoc/>
    public DateTimeOffset Created => thinking.Created;

    /// <inheritdoc/>
    public ModelState State => thinking.State;

    /// <inheritdoc/>
    public string? Failure => thinking.Failure;

    /// <inheritdoc/>
    public IChatClient? Chat => thinking.Chat is { } chat ? new AgentChat(chat, registry, config, transcripts) : null;

    /// <inheritdoc/>
    public IEmbeddingGenerator<AIContent, Embedding<float>>? Embeddings => null;

    /// <inheritdoc/>
    public ITokenizer? Tokenizer => thinking.Tokenizer;

    /// <inheritdoc/>
    public int? ContextLength => thinking.ContextLength;

    /// <inheritdoc/>
    public BatchFigures? Figures => null; // the model's own

    /// <summary>The agents of a host file.</summary>
    /// <param name="agents">What it says about them.</param>
    /// <param name="models">The models that are served.</param>
    /// <param name="registry">The tools.</param>
    /// <param name="transcripts">The folder of transcripts.</param>
    /// <exception cref="UserErrorException">An agent thinks with a model that is not served, or has the name of one.</exception>
    public static IReadOnlyList<AgentModel> Of(IReadOnlyList<AgentConfig> agents, IReadOnlyList<IServedModel> models, ToolRegistry registry, string transcripts)
    {
        foreach (var agent in agents)
            if (models.Any(model => model.Id == agent.Id)) throw new UserErrorException($"server.agents: '{agent.Id}' is the name of a served model; give the agent another");
        return [.. agents.Select(agent => new AgentModel(
            agent,
            models.FirstOrDefault(model => model.Id == agent.Model) ?? throw new UserErrorException($"server.agents: the model '{agent.Model}' of '{agent.Id}' is not served{NearestName.Suggestion(agent.Model, models.Select(model => model.Id))}"),
            registry, transcripts))];
    }

    /// <inheritdoc/>
    public Task LoadAsync(CancellationToken cancellation = default) => thinking.LoadAsync(cancellation);

    /// <inheritdoc/>
    public Task UnloadAsync(CancellationToken cancellation = default) => throw new UserErrorException($"'{Id}' is an agent; unload the model that it thinks with, '{config.Model}'");
}
