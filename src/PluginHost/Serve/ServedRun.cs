using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using PluginHost.Artifacts;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Live;
using PluginHost.Runs.Decoding;
using PluginHost.Sdk;
using PluginHost.Serving.Models;

namespace PluginHost.Serve;

/// <summary>A trained run as a served model. While it is loaded, other terminals can swap its plugins.</summary>
/// <param name="id">Its name in requests.</param>
/// <param name="run">The run.</param>
/// <param name="host">The host file.</param>
/// <param name="loggers">For plugins' messages and failures.</param>
internal sealed class ServedRun(string id, RunFolder run, HostConfig host, ILoggerFactory loggers) : IGraphControl, IDisposable
{
    private readonly SemaphoreSlim changing = new(1);
    private volatile LoadedRun? loaded;
    private volatile string? failure;
    private volatile bool loading;

    public string Id => id;

    public DateTimeOffset Created { get; } = File.GetLastWriteTimeUtc(run.Model);

    public ModelState State => loaded is not null ? ModelState.Ready : loading ? ModelState.Loading : failure is not null ? ModelState.Failed : ModelState.Unloaded;

    public string? Failure => failure;

    public IChatClient? Chat => loaded?.Chat;

    public IEmbeddingGenerator<AIContent, Embedding<float>>? Embeddings => loaded?.Embeddings;

    public ITokenizer? Tokenizer => loaded?.Workspace.Data.Tokenizer;

    public int? ContextLength => loaded?.Decoder?.Length;

    public BatchFigures? Figures => loaded?.Decoder?.Figures;

    public GraphPlan? Plan => loaded?.Workspace.Plan;

    public IReadOnlyList<PluginState> Plugins => loaded?.Session?.Plugins() ?? [];

    private LiveSession Session => loaded?.Session ?? throw new UserErrorException($"the model '{id}' is not loaded, so none of its plugins is in use");

    public Task<NodeChange> ChangeNodeAsync(string node, string? use, string? settings, bool apply) => Session.ChangeNodeAsync(node, use, settings, apply);

    public async Task<(bool Done, string Text)> ControlAsync(string command, string? plugin, string? folder)
    {
        var reply = await Session.HandleAsync(new ControlRequest(command, plugin, folder)).ConfigureAwait(false);
        return (reply.ExitCode == ExitCode.Success, reply.Text);
    }

    public async Task LoadAsync(CancellationToken cancellation = default)
    {
        await changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (loaded is not null) return;
            (loading, failure) = (true, null);
            loaded = await Task.Run(() => new LoadedRun(id, run, host, loggers, cancellation), cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            failure = error.Message;
            if (error is UserErrorException or ConfigException) throw;
            throw new UserErrorException($"the model '{id}' could not be loaded: {error.Message}");
        }
        finally
        {
            loading = false;
            changing.Release();
        }
    }

    public async Task UnloadAsync(CancellationToken cancellation = default)
    {
        await changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var old = loaded;
            loaded = null;
            if (old is null) return;
            // Whoever asked for it may go away: what has been taken out is still to be given back.
            while (old.Decoder?.Figures is { Running: > 0 } or { Waiting: > 0 }) await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None).ConfigureAwait(false);
            await Task.Run(old.Dispose, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            changing.Release();
        }
    }

    public void Dispose()
    {
        loaded?.Dispose();
        loaded = null;
        changing.Dispose();
    }
}
