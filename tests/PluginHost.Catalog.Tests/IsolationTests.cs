using System.Diagnostics;
using System.Globalization;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Tests;

public sealed class IsolationTests : IDisposable
{
    private const string Id = "metric.untrusted";
    private static readonly Dictionary<string, object?> Defaults = [];
    private readonly PluginCatalog catalog = Discover(new IsolationLimits());

    public void Dispose() => catalog.Dispose();

    private static PluginCatalog Discover(IsolationLimits limits) => PluginCatalog.Discover(
        [FixturePlugins.Isolation], quarantine: new QuarantineOptions(100, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1)),
        isolation: new Dictionary<string, IsolationLimits> { [Id] = limits });

    private static IReadOnlyList<MetricValue> Ask(ITextMetric metric, string text = "") =>
        metric.Compute([new Prediction("s1", new Turn("t", "why?", "so", "image", "audio") { AlsoRight = ["thus"] }, text)]);

    private static int ProcessOf(ITextMetric metric) => int.Parse(Ask(metric)[0].Note!, CultureInfo.InvariantCulture);

    [Fact]
    public void Call_OfAnIsolatedPlugin_HappensInAnotherProcess()
    {
        var settings = new Dictionary<string, object?> { ["number"] = 7L, ["rate"] = 2.0, ["flag"] = true, ["mood"] = "wild", ["words"] = new[] { "a", "b" }, ["nothing"] = null };
        Environment.SetEnvironmentVariable("PLUGINHOST_SECRET", "of the host");
        using var lease = catalog.Lease(Id, settings);
        var metric = lease.As<ITextMetric>();

        var values = Ask(metric);

        Assert.NotEqual(Environment.ProcessId, ProcessOf(metric));
        Assert.Equal(("nan", double.NaN, null), (values[1].Name, values[1].Value, values[1].Note));
        Assert.Equal("s1 why? image+audio thus", values[2].Note);
        Assert.Equal((7.0, "2 True Wild a+b True"), (values[3].Value, values[3].Note));
    }

    [Fact]
    public void Dispose_OfTheLease_EndsTheProcess()
    {
        int id;
        using (var lease = catalog.Lease(Id, Defaults)) id = ProcessOf(lease.As<ITextMetric>());

        for (var i = 0; i < 100 && IsRunning(id); i++) Thread.Sleep(20);

        Assert.False(IsRunning(id));
    }

    [Theory]
    [InlineData("fail fast", "it ended with exit code 134")]
    [InlineData("overflow", "it ended with exit code 134")]
    [InlineData("abort", "it ended with exit code 134")]
    [InlineData("exit", "it ended with exit code 3")]
    public void Call_ThatEndsTheProcess_FailsAloneAndTheNextOneWorks(string how, string cause)
    {
        using var lease = catalog.Lease(Id, Defaults);
        var metric = lease.Guarded<ITextMetric>();
        var before = ProcessOf(metric);

        var error = Assert.Throws<PluginFailedException>(() => Ask(metric, how));

        Assert.Equal($"{Id} failed while in a process of its own, after Compute was called: ProcessEnded: {cause}; the next call starts it again", error.Message);
        Assert.NotEqual(before, ProcessOf(metric));
        Assert.Equal(1, catalog.Telemetry.Single(item => item.Id == Id).Failures);
    }

    [Theory]
    [InlineData("hang", "it took longer than 1 s")]
    [InlineData("eat", "it holds more than 256 MB")]
    public void Call_BeyondItsLimits_IsEnded(string how, string cause)
    {
        using var limited = Discover(new IsolationLimits(how == "hang" ? TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(30), 256, 5));
        using var lease = limited.Lease(Id, Defaults);
        var metric = lease.As<ITextMetric>();

        var error = Assert.Throws<PluginFailedException>(() => Ask(metric, how));

        // The runtime may refuse the memory before the watch sees it.
        if (how == "hang" || !error.Message.Contains("OutOfMemory", StringComparison.Ordinal)) Assert.Contains(cause, error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(Ask(metric));
    }

    [Fact]
    public void Call_AfterTooManyRestarts_IsRefused()
    {
        using var limited = Discover(new IsolationLimits(TimeSpan.FromSeconds(30), 512, 1));
        using var lease = limited.Lease(Id, Defaults);
        var metric = lease.As<ITextMetric>();
        Assert.Throws<PluginFailedException>(() => Ask(metric, "exit"));
        Assert.Throws<PluginFailedException>(() => Ask(metric, "exit"));

        Assert.Contains("its process was started 2 times within a minute", Assert.Throws<PluginFailedException>(() => Ask(metric)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Call_ThatThrowsOrPrints_LeavesTheProcessAlone()
    {
        using var lease = catalog.Lease(Id, Defaults);
        var metric = lease.As<ITextMetric>();
        var before = ProcessOf(metric);

        Assert.Equal($"{Id} failed while being called (Compute): InvalidDataException: as asked", Assert.Throws<PluginFailedException>(() => Ask(metric, "fail")).Message);
        Ask(metric, "print");

        Assert.Equal(before, ProcessOf(metric));
    }

    [Fact]
    public void Lease_KindThatCannotBeIsolated_IsRefused()
    {
        using var other = PluginCatalog.Discover([FixturePlugins.Isolation], isolation: new Dictionary<string, IsolationLimits> { ["metric.tensors"] = new() });

        var error = Assert.Throws<UserErrorException>(() => other.Lease("metric.tensors", Defaults));

        Assert.StartsWith("metric.tensors cannot run in a process of its own: IEmbeddingMetric.Compute speaks of Tensor", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Discover_IsolatedPluginThatIsNotInstalled_IsAMistake() => Assert.Equal(
        "the host file isolates 'metric.untrustd', which is not installed; did you mean 'metric.untrusted'?",
        Assert.Throws<UserErrorException>(() => PluginCatalog.Discover([FixturePlugins.Isolation], isolation: new Dictionary<string, IsolationLimits> { ["metric.untrustd"] = new() })).Message);

    private static bool IsRunning(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
