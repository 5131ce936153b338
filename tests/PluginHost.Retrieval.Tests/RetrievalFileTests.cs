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
        Assert.NotEmpty(ProjectFile.Read(config.Reranker!.Encoder, []).Stages);
        Assert.Equal(("reranker.cross-encoder", 50), (config.Reranker.Use.Id, config.Reranker.Candidates));
    }

    [Fact]
    public void Read_MistakesOfTheReranker_AreAllNamed()
    {
        var file = Path.Combine(folder, "r.json");
        File.WriteAllText(Path.Combine(folder, "p.json"), "{}");
        File.WriteAllText(file, """{ "name": "r", "encoder": "p.json", "reranker": { "encoder": "no.json", "candidates": 0, "candidate": 5, "negatives": { "each": 0, "folds": 0 } }, "negatives": { "folds": 2 } }""");

        var errors = Assert.Throws<ConfigException>(() => RetrievalFile.Read(file)).Errors.Select(error => error.Message).ToList();

        Assert.Equal(6, errors.Count);
        Assert.Equal(2, errors.Count(error => error.Contains("'folds'", StringComparison.Ordinal))); // what mines before there are towers has none
        Assert.Contains(errors, error => error.Contains("no.json, which is no file", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("'candidate'", StringComparison.Ordinal) && error.Contains("'candidates'", StringComparison.Ordinal));
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
