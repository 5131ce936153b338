using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Tests;

public sealed class RunFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("runs").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public void Find_LatestNameOrFolder_IsTheSameRun()
    {
        var now = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        RunFolder.Create(folder, "pocket", now, "{}");
        var second = RunFolder.Create(folder, "pocket", now, "{}");

        Assert.Equal("pocket-20260102-030405-2", second.Name);
        Assert.Equal(second.Path, RunFolder.Find(folder, "latest").Path);
        Assert.Equal(second.Path, RunFolder.Find(folder, second.Name).Path);
        Assert.Equal(second.Path, RunFolder.Find("elsewhere", second.Path).Path);
    }

    [Fact]
    public void Find_UnknownRun_ListsWhatThereIs()
    {
        var run = RunFolder.Create(folder, "pocket", DateTimeOffset.Now, "{}");
        Assert.Contains(run.Name, Assert.Throws<UserErrorException>(() => RunFolder.Find(folder, "pokcet")).Message);
    }

    [Fact]
    public void CopyInto_NamesOrShapesDiffer_ListsAllOfThem()
    {
        using var scope = NewDisposeScope();
        var saved = new Dictionary<string, Tensor> { ["a"] = ones(2), ["b"] = ones(3) };

        var error = Assert.Throws<UserErrorException>(() => RunFolder.CopyInto("model.safetensors", saved, [("a", zeros(3)), ("b", zeros(3)), ("c", zeros(1))]));

        Assert.Contains("'a' is [2] and should be [3]", error.Message);
        Assert.Contains("'c' is missing", error.Message);
    }
}
