using System.Globalization;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Jobs;

public sealed class JobFollowingTests : IDisposable
{
    private readonly JobServer jobs = new();

    public void Dispose() => jobs.Dispose();

    private static List<string> Data(string stream) => [.. stream.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line[6..])];

    [Fact]
    public async Task Events_Stream_HasEachEventOnceUntilTheJobEnds()
    {
        await using var server = await jobs.StartAsync();
        var id = (string)(await server.CreateAsync())["id"]!;

        var response = await server.Server.Client.GetAsync($"/v1/fine_tuning/jobs/{id}/events?stream=true");
        var data = Data(await response.Content.ReadAsStringAsync());

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("[DONE]", data[^1]);
        var told = data.SkipLast(1).Select(line => JsonNode.Parse(line)!).Select(item => ((string)item["id"]!, (string)item["message"]!)).ToList();
        Assert.Equal(await server.EventsAsync(id), told);
        Assert.StartsWith("finished", told[^1].Item2, StringComparison.Ordinal);
        var rest = Data(await server.Server.Client.GetStringAsync($"/v1/fine_tuning/jobs/{id}/events?stream=true&after={told[^2].Item1}"));
        Assert.Equal([data[^2], "[DONE]"], rest);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Jobs_ClockJumpsADay_AreTrainedAndTheirOrderIsThatOfTheirComing(int days)
    {
        var clock = new JumpingClock();
        await using var server = await jobs.StartAsync(clock: clock);
        var first = (string)(await server.CreateAsync())["id"]!;
        await server.StepsAsync(first, 2);

        clock.Ahead = TimeSpan.FromDays(days);
        var second = (string)(await server.CreateAsync())["id"]!;
        await server.UntilAsync(second, "succeeded");

        Assert.Equal("succeeded", (string)(await server.GetAsync($"/{first}"))["status"]!);
        Assert.Equal([second, first], (await server.GetAsync(""))["data"]!.AsArray().Select(job => (string)job!["id"]!));
        var events = await server.EventsAsync(first);
        Assert.StartsWith("finished", events[^1].Message, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(1, 20), events.Where(item => item.Message.StartsWith("a ", StringComparison.Ordinal)).Select(item => int.Parse(item.Message[2..item.Message.IndexOf('/', StringComparison.Ordinal)], CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task Events_StreamOfAWaitingJobWhenTheServerDrains_EndsWithAnError()
    {
        await using var server = await jobs.StartAsync();
        var id = (string)(await server.CreateAsync())["id"]!;
        await server.PostAsync($"/{id}/pause");
        var following = server.Server.Client.GetStringAsync($"/v1/fine_tuning/jobs/{id}/events?stream=true");
        await server.Server.WaitForAsync(state => state.Open > 0);

        server.Server.State.Drain();

        var stream = await following;
        Assert.Contains("event: error\n", stream, StringComparison.Ordinal);
        Assert.Contains("draining", Data(stream)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Checkpoints_Pages_AreNewestFirst()
    {
        await using var server = await jobs.StartAsync();
        var job = await server.CreateAsync();
        var folder = Directory.CreateDirectory(Path.Combine(jobs.Folder, "runs", (string)job["run"]!, "checkpoints")).FullName;
        foreach (var name in (string[])["00-000000005", "00-000000010-best", "01-000000002"]) File.WriteAllText(Path.Combine(folder, $"{name}.safetensors"), "");

        var first = await server.GetAsync($"/{job["id"]}/checkpoints?limit=2");
        var second = await server.GetAsync($"/{job["id"]}/checkpoints?limit=2&after={first["data"]![1]!["id"]}");

        Assert.Equal(["01-000000002", "00-000000010-best"], first["data"]!.AsArray().Select(item => (string)item!["id"]!));
        Assert.Equal([2, 10], first["data"]!.AsArray().Select(item => (int)item!["step_number"]!));
        Assert.Equal("00-000000005", (string)Assert.Single(second["data"]!.AsArray())!["id"]!);
        Assert.Equal((true, false), ((bool)first["has_more"]!, (bool)second["has_more"]!));
    }

    [Fact]
    public async Task Create_ManyAtOnce_EachHasARunOfItsOwn()
    {
        await using var server = await jobs.StartAsync();

        var created = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => server.CreateAsync()));

        Assert.Equal(16, created.Select(job => (string)job["run"]!).Distinct().Count());
        Assert.Equal(16, created.Select(job => (string)job["id"]!).Distinct().Count());
    }

    [Fact]
    public async Task Pause_AndResumeAtOnce_TrainEachStepOnce()
    {
        await using var server = await jobs.StartAsync();
        var id = (string)(await server.CreateAsync())["id"]!;
        await server.StepsAsync(id, 2);

        await server.PostAsync($"/{id}/pause");
        await server.PostAsync($"/{id}/resume");

        Assert.Equal(JobHost.AllSteps, jobs.Run(await server.UntilAsync(id, "succeeded"), "steps"));
    }

    private sealed class JumpingClock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }
}
