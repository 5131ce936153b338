namespace PluginHost.Config.Tests;

public sealed class HostFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pluginhost-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private HostConfig Read(string json)
    {
        var path = Path.Combine(folder, "h.json");
        File.WriteAllText(path, json);
        return HostFile.Read(path);
    }

    [Fact]
    public void Read_File_ResolvesFolders()
    {
        var host = Read("""{ "plugins": ["{host}/plugins", "/opt/more"], "artifacts": "out", "device": "cuda:1" }""");

        Assert.Equal([Path.Combine(AppContext.BaseDirectory, "plugins"), Path.GetFullPath("/opt/more")], host.PluginFolders);
        Assert.Equal((Path.GetFullPath("out"), "cuda:1", Path.Combine(folder, "h.json")), (host.Artifacts, host.Device, host.Path));
    }

    [Fact]
    public void Read_EmptyFile_HasDefaults()
    {
        var host = Read("{}");

        Assert.Equal((Path.Combine(AppContext.BaseDirectory, "plugins"), Path.GetFullPath("runs"), "auto"), (Assert.Single(host.PluginFolders), host.Artifacts, host.Device));
    }

    [Fact]
    public void Read_Mistakes_AreAllListed()
    {
        var error = Assert.Throws<ConfigException>(() => Read("""{ "device": "gpu", "plugin": [] }"""));

        Assert.Equal("h.json(1,13): $.device: 'gpu' is no device; devices are auto, cpu, cuda, cuda:0, cuda:1, ...\nh.json(1,20): $.plugin: unknown key 'plugin' of a host file; did you mean 'plugins'?", error.Message);
    }

    [Fact]
    public void Read_Quarantine_HasDefaultsAndUnits()
    {
        Assert.Equal(new QuarantineOptions(3, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(30)), Read("{}").Quarantine);
        Assert.Equal(
            new QuarantineOptions(5, TimeSpan.FromHours(2), TimeSpan.FromMilliseconds(500)),
            Read("""{ "quarantine": { "failures": 5, "window": "2h", "backoff": "500ms" } }""").Quarantine);
    }

    [Theory]
    [InlineData("""{ "quarantine": { "window": "2 minutes" } }""", "h.json(1,29): $.quarantine.window: 'window' is a time with its unit, such as 500ms, 30s, 5m or 1h, not \"2 minutes\"")]
    [InlineData("""{ "quarantine": { "failures": 0 } }""", "h.json(1,31): $.quarantine.failures: 'failures' is 0, outside its range 1 to 1000")]
    [InlineData("""{ "quarantine": { "failure": 1 } }""", "h.json(1,19): $.quarantine.failure: unknown key 'failure' of 'quarantine'; did you mean 'failures'?")]
    public void Read_QuarantineMistake_SaysPlaceAndRule(string json, string message) =>
        Assert.Equal(message, Assert.Throws<ConfigException>(() => Read(json)).Message);

    [Fact]
    public void Read_Isolation_IsAWordOrLimits()
    {
        var isolation = Read("""{ "isolation": { "metric.a": "process", "metric.b": { "callTimeout": "5s", "memoryMegabytes": 256, "restarts": 0 } } }""").Isolation;

        Assert.Equal(new IsolationLimits(TimeSpan.FromSeconds(30), 1024, 5), isolation["metric.a"]);
        Assert.Equal(new IsolationLimits(TimeSpan.FromSeconds(5), 256, 0), isolation["metric.b"]);
        Assert.Empty(Read("{}").Isolation);
    }

    [Theory]
    [InlineData("""{ "isolation": { "metric.a": "proces" } }""", "h.json(1,30): $.isolation['metric.a']: the isolation of 'metric.a' is \"process\", or an object with limits, not the text \"proces\"")]
    [InlineData("""{ "isolation": { "metric.a": { "restart": 1 } } }""", "h.json(1,32): $.isolation['metric.a'].restart: unknown key 'restart' of the limits of a process; did you mean 'restarts'?")]
    public void Read_IsolationMistake_SaysPlaceAndRule(string json, string message) =>
        Assert.Equal(message, Assert.Throws<ConfigException>(() => Read(json)).Message);
}
