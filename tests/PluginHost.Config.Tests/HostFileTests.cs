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
}
