namespace PluginHost.Serving.Tests.Jobs;

public sealed class JobKillTests : IDisposable
{
    private readonly JobServer jobs = new();

    public void Dispose() => jobs.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Jobs_ServerKilledAtRandomMoments_EachStepIsTrainedOnceAndNoEventIsLost(int seed)
    {
        var random = new Random(seed);
        var ids = new List<string>();
        var seen = new Dictionary<string, List<(string Id, string Message)>>();
        for (var kill = 0; kill < 4; kill++)
        {
            using var server = await JobHost.StartAsync(jobs.Folder);
            if (kill < 2) ids.Add((string)(await server.CreateAsync())["id"]!);
            await Task.Delay(random.Next(0, 500));
            foreach (var id in ids) seen[id] = await server.EventsAsync(id);
        }

        using var last = await JobHost.StartAsync(jobs.Folder);
        foreach (var id in ids)
        {
            var job = await last.UntilAsync(id, "succeeded", "failed");
            Assert.Equal("succeeded", (string)job["status"]!);
            Assert.Equal(JobHost.AllSteps, jobs.Run(job, "steps")); // never two at once, never from zero
            var events = await last.EventsAsync(id);
            Assert.Equal(seen[id], events.Take(seen[id].Count)); // what has been told stays told
            Assert.Single(events, item => item.Message.StartsWith("finished", StringComparison.Ordinal));
            Assert.Single(events, item => item.Message.StartsWith("queued", StringComparison.Ordinal));
        }
        Assert.Equal(2, (await last.GetAsync(""))["data"]!.AsArray().Count);
    }

    [Fact]
    public async Task Kill_ServerWithATrainer_TrainerStopsByItself()
    {
        string id;
        using (var server = await JobHost.StartAsync(jobs.Folder))
        {
            id = (string)(await server.CreateAsync())["id"]!;
            await server.StepsAsync(id, 2);
        }
        using var second = await JobHost.StartAsync(jobs.Folder);

        var job = await second.UntilAsync(id, "succeeded");

        var starts = jobs.Run(job, "starts").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, starts.Length);
        Assert.NotEqual("from 0", starts[1]);
        Assert.NotEqual("from 20", starts[1]); // the orphan had not gone on to the end
    }
}
