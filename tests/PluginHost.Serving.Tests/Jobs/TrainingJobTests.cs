using System.Net;
using System.Text.Json.Nodes;
using PluginHost.Sdk;
using PluginHost.Serving.Jobs;

namespace PluginHost.Serving.Tests.Jobs;

public sealed class TrainingJobTests : IDisposable
{
    private readonly JobServer jobs = new();

    public void Dispose() => jobs.Dispose();

    private string Run(JsonNode job, string file) => jobs.Run(job, file);

    [Fact]
    public async Task Create_Job_TrainsToItsEndAndSaysWhatHappened()
    {
        await using var server = await jobs.StartAsync();
        var created = await server.CreateAsync(new { model = "small", training_file = "small", seed = 4, hyperparameters = new { steps = 9, batch_size = "auto" } });
        Assert.Equal(("fine_tuning.job", "queued", "small"), ((string)created["object"]!, (string)created["status"]!, (string)created["model"]!));

        var job = await server.UntilAsync((string)created["id"]!, "succeeded");

        Assert.Equal((string)job["run"]!, (string)job["fine_tuned_model"]!);
        Assert.Equal(9, (int)job["hyperparameters"]!["steps"]!);
        var project = JsonNode.Parse(Run(job, "project.json"))!;
        Assert.Equal((4, 9), ((int)project["seed"]!, (int)project["stages"]![0]!["steps"]!));
        var events = (await server.GetAsync($"/{created["id"]}/events?limit=100"))["data"]!.AsArray().Select(item => (string)item!["message"]!).ToList();
        Assert.StartsWith("queued", events[0], StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(1, 20).Select(step => $"a {step}/20  loss 0.5"), events.Where(message => message.StartsWith("a ", StringComparison.Ordinal)));
        Assert.StartsWith("finished", events[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_ServerInTheMiddle_GoesOnWhereItWas()
    {
        string id;
        await using (var first = await jobs.StartAsync())
        {
            id = (string)(await first.CreateAsync())["id"]!;
            await first.StepsAsync(id, 3);
        }
        await using var second = await jobs.StartAsync();

        var job = await second.UntilAsync(id, "succeeded");

        var starts = Run(job, "starts").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, starts.Length);
        Assert.True(int.Parse(starts[1].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) >= 3);
        Assert.Equal(JobHost.AllSteps, Run(job, "steps"));
    }

    [Fact]
    public async Task Jobs_StoppedAtRandomMoments_EachEndOnce()
    {
        var random = new Random(5);
        string[] ids;
        await using (var first = await jobs.StartAsync()) ids = [(string)(await first.CreateAsync())["id"]!, (string)(await first.CreateAsync())["id"]!];
        for (var i = 0; i < 4; i++)
        {
            await using var server = await jobs.StartAsync();
            await Task.Delay(random.Next(5, 250));
        }

        await using var last = await jobs.StartAsync();
        foreach (var id in ids)
        {
            var job = await last.UntilAsync(id, "succeeded");
            Assert.Equal(JobHost.AllSteps, Run(job, "steps"));
            Assert.Single((await last.GetAsync($"/{id}/events?limit=100"))["data"]!.AsArray(), item => ((string)item!["message"]!).StartsWith("finished", StringComparison.Ordinal));
        }
        Assert.Equal(ids.Reverse(), (await last.GetAsync(""))["data"]!.AsArray().Select(item => (string)item!["id"]!));
    }

    [Fact]
    public async Task Pause_RunningJob_WaitsUntilItIsResumed()
    {
        await using var server = await jobs.StartAsync();
        var id = (string)(await server.CreateAsync())["id"]!;
        await server.StepsAsync(id, 2);

        Assert.Equal("paused", (string)JsonNode.Parse(await (await server.PostAsync($"/{id}/pause")).Content.ReadAsStringAsync())!["status"]!);
        var other = (string)(await server.CreateAsync())["id"]!;
        await server.UntilAsync(other, "succeeded"); // the paused one holds nobody up
        Assert.Equal("paused", (string)(await server.GetAsync($"/{id}"))["status"]!);
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync($"/{id}/resume")).StatusCode);

        var job = await server.UntilAsync(id, "succeeded");
        Assert.NotEqual("from 0", Run(job, "starts").Split('\n')[1]);
    }

    [Fact]
    public async Task Cancel_RunningAndQueuedJobs_EndsThemForGood()
    {
        await using var server = await jobs.StartAsync();
        var (running, queued) = ((string)(await server.CreateAsync())["id"]!, (string)(await server.CreateAsync())["id"]!);
        await server.StepsAsync(running, 1);

        foreach (var id in (string[])[queued, running]) Assert.Equal(HttpStatusCode.OK, (await server.PostAsync($"/{id}/cancel")).StatusCode);
        await server.UntilAsync((string)(await server.CreateAsync())["id"]!, "succeeded");

        foreach (var id in (string[])[queued, running])
        {
            Assert.Equal("cancelled", (string)(await server.GetAsync($"/{id}"))["status"]!);
            foreach (var change in (string[])["pause", "resume", "cancel"])
            {
                var refused = await server.PostAsync($"/{id}/{change}");
                Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
                Assert.Contains($"the job '{id}' is cancelled", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task Fail_Training_SaysTheLastLineAndCanBeTriedAgain()
    {
        await using var server = await jobs.StartAsync();
        var id = (string)(await server.CreateAsync(new { model = "small", training_file = "small.json", seed = 13 }))["id"]!;

        var failed = await server.UntilAsync(id, "failed");
        Assert.Equal("the loss is not finite", (string)failed["error"]!["message"]!);
        File.WriteAllText(Path.Combine(jobs.Folder, "runs", (string)failed["run"]!, "mended"), "");
        await server.PostAsync($"/{id}/resume");

        Assert.Null((await server.UntilAsync(id, "succeeded"))["error"]);
    }

    [Fact]
    public async Task Signal_ToTheTrainerAlone_IsNoFailureOfTheRun()
    {
        Directory.CreateDirectory(Path.Combine(jobs.Folder, "runs"));
        File.WriteAllText(Path.Combine(jobs.Folder, "runs", "interrupt"), "");
        await using var server = await jobs.StartAsync();
        var id = (string)(await server.CreateAsync())["id"]!;

        var job = await server.UntilAsync(id, "succeeded", "failed");

        Assert.Equal(("succeeded", JobHost.AllSteps), ((string)job["status"]!, Run(job, "steps")));
        Assert.Contains(await server.EventsAsync(id), item => item.Message == "goes on: its process had stopped");
    }

    [Fact]
    public async Task Start_BesideAProcessThatLeavesTheRun_WaitsForItAndGoesOn()
    {
        await using var server = await jobs.StartAsync();
        var first = await server.CreateAsync();
        await server.StepsAsync((string)first["id"]!, 1);
        var waiting = await server.CreateAsync();
        var other = new PluginHost.Artifacts.RunFolder(Path.Combine(jobs.Folder, "runs", (string)waiting["run"]!)).Lock();
        await server.UntilAsync((string)waiting["id"]!, "running");

        other.Dispose();

        Assert.Equal("succeeded", (string)(await server.UntilAsync((string)waiting["id"]!, "succeeded", "failed"))["status"]!);
    }

    [Theory]
    [InlineData("""{"model":"small","training_file":"smal.json"}""", "did you mean 'small.json'?")]
    [InlineData("""{"model":"small","training_file":"../jobs.json"}""", "there is no project file '../jobs.json'")]
    [InlineData("""{"model":"nowhere","training_file":"small.json"}""", "There is no run 'nowhere'")]
    [InlineData("""{"training_file":"small.json"}""", "a training job needs 'model'")]
    [InlineData("""{"model":"small","training_file":"small.json","hyperparameters":{"step":3}}""", "did you mean 'steps'?")]
    public async Task Create_BadRequest_SaysWhatAndMakesNothing(string body, string message)
    {
        await using var server = await jobs.StartAsync();

        var response = await server.Server.PostAsync("/v1/fine_tuning/jobs", body);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(message, (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["message"]!, StringComparison.Ordinal);
        Assert.Empty((await server.GetAsync(""))["data"]!.AsArray());
        Assert.Equal(HttpStatusCode.NotFound, (await server.Server.Client.GetAsync("/v1/fine_tuning/jobs/ftjob-1")).StatusCode);
    }

    [Fact]
    public async Task List_Pages_HaveEveryJobOnce()
    {
        await using var server = await jobs.StartAsync();
        var ids = new List<string>();
        for (var i = 0; i < 5; i++) ids.Insert(0, (string)(await server.CreateAsync())["id"]!);

        var first = await server.GetAsync("?limit=2");
        var second = await server.GetAsync($"?limit=3&after={first["data"]![1]!["id"]}");

        Assert.Equal((true, false), ((bool)first["has_more"]!, (bool)second["has_more"]!));
        Assert.Equal(ids, first["data"]!.AsArray().Concat(second["data"]!.AsArray()).Select(item => (string)item!["id"]!));
    }

    [Fact]
    public void Open_FileOfAnotherServerOrDamaged_IsRefusedAndLeftAlone()
    {
        using (new JobStore(jobs.File)) Assert.Contains("another server has the jobs", Assert.Throws<UserErrorException>(() => new JobStore(jobs.File)).Message, StringComparison.Ordinal);
        File.WriteAllText(jobs.File, "this is no database, and long enough to be looked at as one: " + new string('x', 4096));
        var before = File.ReadAllBytes(jobs.File);

        Assert.Contains("is damaged, or no file of jobs", Assert.Throws<UserErrorException>(() => new JobStore(jobs.File)).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(jobs.File));
    }
}
