using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using PluginHost.Artifacts;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Jobs;

/// <summary>
/// <c>/v1/fine_tuning/jobs</c> in OpenAI's shapes. <c>training_file</c> is a project file of the folder of projects; <c>model</c> is that project's own name, to train it from zero, or a
/// run (folder name or alias) whose weights its first stage is to begin with.
/// </summary>
internal sealed class JobEndpoints(JobStore store, JobRunner runner, JobOptions options, ServerConfig server, ServingState state, TimeProvider clock)
{
    private const int MostListed = 100;
    private static readonly TimeSpan DrainLook = TimeSpan.FromMilliseconds(250);

    private readonly Lock creating = new(); // two runs of one second are told apart by looking which folders there are

    /// <summary>Maps the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        const string jobs = "/v1/fine_tuning/jobs";
        routes.MapPost(jobs, (Delegate)CreateAsync).WithSummary("Asks for a training");
        routes.MapGet(jobs, (Delegate)ListAsync).WithSummary("Trainings, the newest first");
        routes.MapGet(jobs + "/{id}", (Delegate)ShowAsync).WithSummary("One training");
        routes.MapGet(jobs + "/{id}/events", (Delegate)EventsAsync).WithSummary("What happened to a training");
        routes.MapGet(jobs + "/{id}/checkpoints", (Delegate)CheckpointsAsync).WithSummary("States that a training can go on from");
        routes.MapPost(jobs + "/{id}/pause", (Delegate)PauseAsync).WithSummary("Stops a training until it is resumed");
        routes.MapPost(jobs + "/{id}/resume", (Delegate)ResumeAsync).WithSummary("Lets a training go on from its last checkpoint");
        routes.MapPost(jobs + "/{id}/cancel", (Delegate)CancelAsync).WithSummary("Ends a training");
    }

    private async Task CreateAsync(HttpContext context)
    {
        var errors = new List<ConfigError>();
        var body = await ApiJson.ReadAsync(context, server.MaxBodyBytes);
        var reader = new JsonObjectReader(body, "a training job", errors);
        var model = reader.RequiredText("model");
        var file = reader.RequiredText("training_file");
        var seed = reader.Value("seed") is null ? (long?)null : reader.Integer("seed", 0, 0, long.MaxValue);
        var wanted = reader.Value("hyperparameters");
        var (steps, batch, rate) = Hyperparameters(wanted, errors);
        foreach (var ignored in (string[])["suffix", "metadata"]) reader.Value(ignored);
        reader.End();
        if (errors.Count > 0 || model is null || file is null) throw new ConfigException(errors);

        var path = PathOf(file, body.Find("training_file")!.Location);
        var project = Read(path, []);
        if (project.Stages.Count == 0) throw new ApiException(ApiError.Invalid($"'{file}' has no stages, so there is nothing to train", "training_file"));
        var changes = new List<string>();
        if (seed is not null) changes.Add($"seed={seed}");
        for (var i = 0; i < project.Stages.Count; i++)
        {
            if (steps is not null) changes.Add($"stages.{i}.steps={steps}");
            if (batch is not null) changes.Add($"stages.{i}.batch={batch}");
            if (rate is not null) changes.Add(string.Create(CultureInfo.InvariantCulture, $"stages.{i}.learningRate={rate}"));
        }
        if (model != project.Name) changes.Add($"stages.0.from={JsonSerializer.Serialize(RunFolder.Find(options.Artifacts, model).Path)}"); // a user error, which becomes a 400, where there is none
        project = Read(path, changes);
        RunFolder run;
        lock (creating) run = RunFolder.Create(options.Artifacts, project.Name, clock.GetLocalNow(), project.Source.ToJsonString(), latest: false);
        var job = store.Add($"ftjob-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}", model, file, run.Path, wanted?.ToJsonString() ?? "{}", clock.GetUtcNow());
        runner.Wake();
        await ApiJson.WriteAsync(context, writer => JobJson.Job(writer, job));
    }

    private Task ListAsync(HttpContext context)
    {
        var (after, limit) = Page(context, 20);
        var jobs = store.List(after is null ? null : Find(after).Number, limit + 1);
        return JobJson.ListAsync(context, jobs, limit, JobJson.Job);
    }

    private Task ShowAsync(HttpContext context) => ApiJson.WriteAsync(context, writer => JobJson.Job(writer, Named(context)));

    private Task EventsAsync(HttpContext context)
    {
        var job = Named(context);
        var (after, limit) = Page(context, 20);
        var from = after is null ? 0 : long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new ApiException(ApiError.Invalid("'after' is the id of an event", "after"));
        if (context.Request.Query["stream"] == "true") return FollowAsync(context, job.Id, from);
        return JobJson.ListAsync(context, store.Events(job.Id, from, limit + 1), limit, JobJson.Event);
    }

    // Until the job has ended. A stream that only the server's end cuts ends with an error: whoever follows asks again, after the last event's id.
    private async Task FollowAsync(HttpContext context, string id, long after)
    {
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
        var events = new EventStream(context, server.StallTimeout);
        while (true)
        {
            var change = store.Changed;
            var ended = Find(id).Status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Cancelled; // its last event is written together with that
            var next = store.Events(id, after, MostListed);
            foreach (var item in next) await events.SendAsync(writer => JobJson.Event(writer, item));
            if (next.Count > 0) after = next[^1].Number;
            if (next.Count == MostListed) continue;
            if (ended) break;
            if (state.Draining)
            {
                await events.FailAsync(ApiError.Unavailable("the server is stopping; the job goes on when it is up again", "draining", 5));
                return;
            }
            await Task.WhenAny(change, Task.Delay(DrainLook, context.RequestAborted));
            context.RequestAborted.ThrowIfCancellationRequested();
        }
        await events.EndAsync();
    }

    private Task CheckpointsAsync(HttpContext context)
    {
        var job = Named(context);
        var (after, limit) = Page(context, 10);
        var files = new RunFolder(job.Run).Checkpoints.Files.Reverse(); // the newest first; names sort by age
        if (after is not null) files = files.Where(file => string.CompareOrdinal(Path.GetFileNameWithoutExtension(file), after) < 0);
        return JobJson.ListAsync(context, [.. files.Take(limit + 1)], limit, (writer, file) => JobJson.Checkpoint(writer, job, file));
    }

    private Task PauseAsync(HttpContext context) => ChangeAsync(context, [JobStatus.Queued, JobStatus.Running], JobStatus.Paused, "paused");

    private Task ResumeAsync(HttpContext context) => ChangeAsync(context, [JobStatus.Paused, JobStatus.Failed], JobStatus.Queued, "queued again");

    private Task CancelAsync(HttpContext context) => ChangeAsync(context, [JobStatus.Queued, JobStatus.Running, JobStatus.Paused, JobStatus.Failed], JobStatus.Cancelled, "cancelled");

    // What is to be is written first: a server that is killed now knows it later.
    private Task ChangeAsync(HttpContext context, JobStatus[] from, JobStatus to, string message)
    {
        var job = Named(context);
        if (!store.Change(job.Id, from, to, message, clock.GetUtcNow()))
            throw new ApiException(new ApiError(StatusCodes.Status409Conflict, ApiError.InvalidRequest, $"the job '{job.Id}' is {JobJson.NameOf(Find(job.Id).Status)}; this needs one that is {string.Join(" or ", from.Select(JobJson.NameOf))}", null, "job_state"));
        runner.Stop(job.Id);
        runner.Wake();
        return ApiJson.WriteAsync(context, writer => JobJson.Job(writer, Find(job.Id)));
    }

    private ProjectConfig Read(string path, IReadOnlyList<string> changes) => ProjectFile.Read(path, changes, RunFolder.Finder(options.Artifacts));

    private string PathOf(string file, JsonLocation location)
    {
        var name = file.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? file : file + ".json";
        var path = Path.Combine(options.Projects, name);
        // A name, never a path: nothing outside of the folder can be asked for.
        if (Path.GetFileName(name) != name || !File.Exists(path))
            throw new ConfigException([new ConfigError(location, $"there is no project file '{name}' in the server's folder of projects{NearestName.Suggestion(name, Directory.Exists(options.Projects) ? Directory.GetFiles(options.Projects, "*.json").Select(known => Path.GetFileName(known)) : [])}")]);
        return path;
    }

    private static (long? Steps, long? Batch, double? Rate) Hyperparameters(JsonElementNode? node, List<ConfigError> errors)
    {
        if (node is null) return default;
        var reader = new JsonObjectReader(node, "'hyperparameters'", errors);
        bool Given(string name) => reader.Value(name) is { Text: not "auto" };
        var read = (Given("steps") ? reader.Integer("steps", 1, 1, 100_000_000) : (long?)null, Given("batch_size") ? reader.Integer("batch_size", 1, 1, 1 << 20) : (long?)null, Given("learning_rate") ? reader.Number("learning_rate", 1e-3, 0, 10) : (double?)null);
        reader.End();
        return read;
    }

    private TrainingJob Named(HttpContext context) => Find((string)context.Request.RouteValues["id"]!);

    private TrainingJob Find(string id) => store.Find(id) ?? throw new ApiException(ApiError.Missing($"there is no training job '{id}'", null, "job_not_found"));

    private static (string? After, int Limit) Page(HttpContext context, int missing)
    {
        var (after, limit) = ((string?)context.Request.Query["after"], (string?)context.Request.Query["limit"]);
        if (limit is null) return (after, missing);
        return int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= MostListed
            ? (after, number) : throw new ApiException(ApiError.Invalid($"'limit' is a number from 1 to {MostListed}", "limit"));
    }
}
