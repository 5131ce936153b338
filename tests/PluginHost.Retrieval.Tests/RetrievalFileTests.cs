using PluginHost.Config;

namespace PluginHost.Retrieval.Tests;

public sealed class RetrievalFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("retrieval-file").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Read_Shipped_IsReadable()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!Directory.Exists(Path.Combine(root.FullName, "host-config"))) root = root.Parent!;

        var config = RetrievalFile.Read(Path.Combine(root.FullName, "host-config", "retrieval.json"));

        Assert.NotEmpty(ProjectFile.Read(config.Encoder, []).Stages);
    }

    [Fact]
    public void Read_Mistakes_AreAllNamed()
    {
        var file = Path.Combine(folder, "r.json");
        File.WriteAllText(file, """{ "name": "a/b", "encoder": "no.json", "chunk": 3, "indx": "index.sqlite" }""");

        var errors = Assert.Throws<ConfigException>(() => RetrievalFile.Read(file)).Errors.Select(error => error.Message).ToList();

        Assert.Equal(4, errors.Count);
        Assert.Contains(errors, error => error.StartsWith("'a/b' becomes a folder", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("'indx'", StringComparison.Ordinal) && error.Contains("'index'", StringComparison.Ordinal));
    }
}
