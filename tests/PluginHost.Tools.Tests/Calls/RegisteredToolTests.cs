using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using PluginHost.Sdk;
using PluginHost.Tools.Calls;
using PluginHost.Tools.Registry;

namespace PluginHost.Tools.Tests.Calls;

public sealed class RegisteredToolTests : IDisposable
{
    private readonly RegistryUnderTest tools = new(new ToolLimits { RetryDelay = TimeSpan.FromMilliseconds(1), MostCharacters = 100 });

    public void Dispose() => tools.Dispose();

    private static Task<ToolOutcome> CallAsync(RegisteredTool tool, string arguments = "{}") => tool.InvokeAsync(RegistryUnderTest.Arguments(arguments), default);

    [Fact]
    public async Task Invoke_Arguments_AreCheckedAndCompletedFirst()
    {
        var seen = new List<string>();
        var tool = tools.Add("search", (arguments, _) =>
        {
            seen.Add(string.Join(',', arguments.OrderBy(item => item.Key).Select(item => $"{item.Key}={item.Value}")));
            return Task.FromResult<object?>("found");
        }, schema: """{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer","default":5}},"required":["query"]}""");
        Assert.Equal("found", (await CallAsync(tool, """{"query":"a"}""")).Text);
        var wrong = await CallAsync(tool, """{"query":1}""");
        Assert.Equal((ToolStatus.Invalid, "arguments of 'search': 'query' is 1, not a text"), (wrong.Status, wrong.Text));
        Assert.Equal(ToolStatus.Invalid, (await CallAsync(tool, "[]")).Status);
        Assert.Equal(["limit=5,query=a"], seen);
    }

    public static TheoryData<object?, string> Results() => new()
    {
        { null, "null" },
        { "text", "text" },
        { true, "true" },
        { 3L, "3" },
        { 0.5, "0.5" },
        { RegistryUnderTest.Arguments("""{"a":[1]}"""), """{"a":[1]}""" },
        { RegistryUnderTest.Arguments("\"text\""), "text" },
        { new JsonObject { ["a"] = 1 }, """{"a":1}""" },
    };

    [Theory]
    [MemberData(nameof(Results))]
    public async Task Invoke_Results_BecomeText(object? result, string text) => Assert.Equal((ToolStatus.Done, text), (await CallAsync(tools.Add("t", result))) is var outcome ? (outcome.Status, outcome.Text) : default);

    public static TheoryData<object?, string> NoResults() => new()
    {
        { double.NaN, "no number of JSON" },
        { float.PositiveInfinity, "no number of JSON" },
        { new JsonArray(double.NaN), "no JSON" },
        { "\0\u0001binary", "binary" },
        { new Uri("https://a.example"), "a Uri" },
    };

    [Theory]
    [MemberData(nameof(NoResults))]
    public async Task Invoke_WhatIsNoResult_FailsAndSaysWhy(object? result, string why)
    {
        var outcome = await CallAsync(tools.Add("t", result));
        Assert.Equal(ToolStatus.Failed, outcome.Status);
        Assert.Contains(why, outcome.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invoke_ALongResult_IsCutBetweenCharacters()
    {
        var outcome = await CallAsync(tools.Add("t", new string('x', 99) + "😀" + new string('x', 50_000_000)));
        Assert.Equal((true, new string('x', 99)), (outcome.Cut, outcome.Text));
    }

    [Fact]
    public async Task Invoke_AToolThatHangs_IsLateHoweverLittleItListens()
    {
        using var end = new ManualResetEventSlim();
        var limits = new ToolLimits { Deadline = TimeSpan.FromMilliseconds(50), Concurrent = 2, RestAfter = 100 };
        tools.Registry.Put("hang", [new ToolOffer("hang", new FakeFunction("hang", (_, _) =>
        {
            end.Wait();
            return Task.FromResult<object?>("late");
        })) { Limits = limits }]);
        var tool = tools.Registry.Find("hang")!;
        Assert.Equal((ToolStatus.Late, "the tool 'hang' did not answer within 0.05 s"), await CallAsync(tool) is var outcome ? (outcome.Status, outcome.Text) : default);
        Assert.Equal(ToolStatus.Late, (await CallAsync(tool)).Status);
        Assert.Equal(ToolStatus.Unavailable, (await CallAsync(tool)).Status); // two go on all the same, and no third begins
        end.Set();
    }

    [Fact]
    public async Task Invoke_ACallerWhoLeaves_EndsTheCall()
    {
        using var leaving = new CancellationTokenSource();
        var told = new TaskCompletionSource();
        var tool = tools.Add("slow", async (_, token) =>
        {
            using var registered = token.Register(told.SetResult);
            await leaving.CancelAsync();
            await Task.Delay(Timeout.Infinite, token);
            return "never";
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tool.InvokeAsync(RegistryUnderTest.Arguments("{}"), leaving.Token));
        await told.Task;
    }

    [Fact]
    public async Task Invoke_ATransientFailure_IsRepeatedUnlessTheToolWrites()
    {
        var calls = 0;
        Task<object?> Third(CancellationToken _) => ++calls < 3 ? throw new ToolFailedException("busy", transient: true) : Task.FromResult<object?>("third");
        Assert.Equal("third", (await CallAsync(tools.Add("reads", (_, token) => Third(token)))).Text);
        calls = 0;
        var writes = tools.Add("writes", (_, token) => Third(token), writes: true);
        tools.Registry.Approve(writes);
        Assert.Equal((ToolStatus.Failed, "busy"), await CallAsync(writes) is var outcome ? (outcome.Status, outcome.Text) : default);
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task Invoke_AToolThatFailsAndFails_RestsAndIsNotCalled()
    {
        var calls = 0;
        var tool = tools.Add("bad", (_, _) =>
        {
            calls++;
            throw new InvalidOperationException("secret");
        });
        for (var i = 0; i < 4; i++) Assert.Equal((ToolStatus.Failed, "the tool 'bad' failed (InvalidOperationException)"), await CallAsync(tool) is var outcome ? (outcome.Status, outcome.Text) : default);
        var resting = await CallAsync(tool);
        Assert.Equal((ToolStatus.Unavailable, true, 4), (resting.Status, resting.RetryAfter > TimeSpan.Zero, calls));
    }

    [Fact]
    public async Task Invoke_WhatTheToolRefuses_IsNoFailure()
    {
        var tool = tools.Add("picky", (_, _) => throw new UserErrorException("no such page"));
        for (var i = 0; i < 20; i++) Assert.Equal((ToolStatus.Refused, "no such page"), await CallAsync(tool) is var outcome ? (outcome.Status, outcome.Text) : default);
    }

    [Fact]
    public async Task Invoke_Calls_AreCountedByToolAndOutcome()
    {
        var counted = new ConcurrentBag<(string, string)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "pluginhost.tool.calls") self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => counted.Add(((string)tags[0].Value!, (string)tags[1].Value!)));
        listener.Start();
        await CallAsync(tools.Add("counted", "fine"));
        await CallAsync(tools.Registry.Find("counted")!, "[]");
        Assert.Equal([("counted", "done"), ("counted", "invalid")], counted.Where(item => item.Item1 == "counted").Order());
    }
}
