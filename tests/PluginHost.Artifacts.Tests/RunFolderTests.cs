using PluginHost.Config;
using PluginHost.Runs.Training;
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
        RunFolder.Create(folder, "pocket", now);
        var second = RunFolder.Create(folder, "pocket", now);
        AtomicFile.WriteText(second.Project, "{}");

        Assert.Equal("pocket-20260102-030405-2", second.Name);
        Assert.Equal(second.Path, RunFolder.Find(folder, "latest").Path);
        Assert.Equal(second.Path, RunFolder.Find(folder, second.Name).Path);
        Assert.Equal(second.Path, RunFolder.Find("elsewhere", second.Path).Path);
    }

    [Fact]
    public void Find_UnknownRun_ListsWhatThereIs()
    {
        var run = RunFolder.Create(folder, "pocket", DateTimeOffset.Now);
        Assert.Contains(run.Name, Assert.Throws<UserErrorException>(() => RunFolder.Find(folder, "pokcet")).Message);
    }

    [Fact]
    public void Load_WhatSaveSaved_IsTheSameState()
    {
        using var scope = NewDisposeScope();
        var run = RunFolder.Create(folder, "pocket", DateTimeOffset.Now);
        var state = new TrainingState(1, 20, 1.5, 999, [0.1, 1.0 / 3], [new ValidationPoint(10, 0.7)], new Dictionary<string, Tensor>
        {
            ["w"] = ones(2, 2),
            [TrainingState.Generator] = get_rng_state(),
        });
        run.Save(state);

        var loaded = run.Load()!;

        Assert.Equal((1, 20, 1.5, 999L), (loaded.Stage, loaded.Step, loaded.Seconds, loaded.Tokens));
        Assert.Equal(state.Losses, loaded.Losses);
        Assert.Equal(state.Validations, loaded.Validations);
        Assert.Equal(4, loaded.Tensors["w"].sum().item<float>());
        Assert.Equal(state.Tensors[TrainingState.Generator].shape, loaded.Tensors[TrainingState.Generator].shape);
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
