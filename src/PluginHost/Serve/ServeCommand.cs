using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Serving;
using PluginHost.Serving.Dashboard;
using PluginHost.Serving.Documents;
using PluginHost.Serving.Jobs;
using PluginHost.Serving.Models;
using PluginHost.Serving.Service;
using PluginHost.Serving.Tools;

namespace PluginHost.Serve;

/// <summary>Serves trained runs over HTTP until it is told to stop: <c>pluginhost serve</c>.</summary>
internal sealed class ServeCommand(IReadOnlyList<string> items, HostConfig host, TextWriter output)
{
    public async Task<int> RunAsync(CancellationToken stop)
    {
        using var loggers = LoggerFactory.Create(ServerLog.Configure);
        if (items.Count == 0 && host.Server.Remotes.Count == 0) throw new UserErrorException("there is nothing to serve: name a run or a project file, or list a model in server.remotes of the host file");
        if (items.Count > 0) NativeTorch.Load();
        var models = ServedRuns.Find(items, host, loggers);
        using var jobs = new JobStore(host.Server.Jobs);
        using var plugins = PluginCatalog.Discover(host, loggers);
        try
        {
            using var retrieval = RetrievalEngine.Start(plugins, host.Server, host.Artifacts, loggers, NativeTorch.Load, stop);
            if (retrieval?.Reason is { } reason) loggers.CreateLogger<ServeCommand>().LogInformation("Documents are searched by their words: {Reason}", reason);
            using var documents = new DocumentHost(Path.Combine(host.Artifacts, "documents"), retrieval);
            await using var tools = await ToolHost.OpenAsync(host.Server, plugins, host.Folder, loggers, documents: documents.Passages);
            IReadOnlyList<IServedModel> served = [.. models, .. host.Server.Remotes.Select(remote => new RemoteModel(remote))];
            var agents = AgentModel.Of(host.Server.Agents, served, tools.Registry, Path.Combine(host.Artifacts, "agents"));
            await using var app = ServingHost.Build(host.Server, [.. served, .. agents], builder =>
            {
                ServerLog.Configure(builder.Logging);
                builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = host.Server.DrainTimeout);
                builder.Services.AddWatchdog().AddSystemd();
                builder.Services.AddWindowsService();
                builder.Services.AddTrainingJobs(jobs, new JobOptions(host.Server.Projects, host.Artifacts, Training));
                builder.Services.AddTools(tools);
                builder.Services.AddDocuments(documents);
            }, routes =>
            {
                routes.MapTrainingJobs();
                routes.MapTools();
                routes.MapDocuments();
                RunEndpoints.Map(routes, host.Artifacts);
            }, () => HostFile.Read(host.Path.Length > 0 ? host.Path : null).Server with { Urls = host.Server.Urls });
            var logger = loggers.CreateLogger<ServeCommand>();
            using var hangup = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
            {
                signal.Cancel = true;
                Reload(app.Services.GetRequiredService<ServerReload>(), logger);
            });
            await app.StartAsync(stop);
            output.WriteLine($"listening at {string.Join(", ", app.Urls)}");
            await Task.WhenAll(models.Select(model => LoadAsync(model, logger, stop)));
            if (models.Count > 0 && models.All(model => model.Failure is not null)) throw new UserErrorException(string.Join('\n', models.Select(model => $"{model.Id}: {model.Failure}")));
            await Task.WhenAny(Task.Delay(Timeout.Infinite, stop), Stopping(app));
            await DrainAsync(app.Services.GetRequiredService<ServingState>());
            await app.StopAsync(CancellationToken.None);
            output.WriteLine("stopped");
            return ExitCode.Success;
        }
        finally
        {
            foreach (var model in models) model.Dispose();
        }
    }

    // A model that cannot be loaded is named in the answers; the others serve.
    private async Task LoadAsync(ServedRun model, ILogger logger, CancellationToken stop)
    {
        try
        {
            await model.LoadAsync(stop);
            output.WriteLine($"{model.Id} is ready");
        }
        catch (Exception error) when (error is UserErrorException or ConfigException)
        {
            logger.LogError("{Model} is not served: {Reason}", model.Id, error.Message);
        }
    }

    private ProcessStartInfo Training(string run) => OwnProcess.Of(["run", "--resume", run, "--stop-with-input", .. host.Path.Length > 0 ? ["--host", host.Path] : Array.Empty<string>()]);

    private static Task Stopping(WebApplication app)
    {
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Lifetime.ApplicationStopping.Register(stopping.SetResult);
        return stopping.Task;
    }

    // Open requests finish, new ones are refused.
    private async Task DrainAsync(ServingState state)
    {
        state.Drain();
        var deadline = Environment.TickCount64 + (long)host.Server.DrainTimeout.TotalMilliseconds;
        while (state.Open > 0 && Environment.TickCount64 < deadline) await Task.Delay(TimeSpan.FromMilliseconds(20));
    }

    private static void Reload(ServerReload reload, ILogger logger)
    {
        try
        {
            logger.LogInformation("Configuration: {Change}", reload.Reload());
        }
        catch (Exception error) when (error is ConfigException or UserErrorException or IOException)
        {
            logger.LogError("All stays as it was: {Reason}", error.Message);
        }
    }
}
