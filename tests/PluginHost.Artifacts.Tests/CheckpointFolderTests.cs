using PluginHost.Runs.Training;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Tests;

public sealed class CheckpointFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("checkpoints").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public void Load_WhatSaveSaved_IsTheSameState()
    {
        using var scope = NewDisposeScope();
        var state = State(1, 20) with { Losses = [0.1, 1.0 / 3], Validations = [new ValidationPoint(10, 0.7), new ValidationPoint(20, 0.6, 0.5)] };
        var checkpoints = new CheckpointFolder(folder);

        checkpoints.Save(state, 1);
        var (loaded, file) = checkpoints.Load(_ => { })!.Value;

        Assert.Equal((1, 20, 1.5, 999L), (loaded.Stage, loaded.Step, loaded.Seconds, loaded.Tokens));
        Assert.Equal(state.Losses, loaded.Losses);
        Assert.Equal(state.Validations, loaded.Validations);
        Assert.Equal(4, loaded.Tensors["w"].sum().item<float>());
        Assert.Equal(state.Tensors[TrainingState.Generator].shape, loaded.Tensors[TrainingState.Generator].shape);
        Assert.Equal("01-000000020.safetensors", Path.GetFileName(file));
    }

    [Fact]
    public void Save_MoreThanAreKept_LeavesTheLastAndTheBestOfEachStage()
    {
        using var scope = NewDisposeScope();
        var checkpoints = new CheckpointFolder(folder);

        foreach (var (stage, step, best) in new[] { (0, 5, true), (0, 10, true), (0, 15, false), (1, 5, true), (1, 10, false), (1, 100, false), (1, 105, false) })
            checkpoints.Save(State(stage, step) with { IsBest = best }, keep: 2);

        Assert.Equal(
            ["00-000000010-best.safetensors", "01-000000005-best.safetensors", "01-000000100.safetensors", "01-000000105.safetensors"],
            checkpoints.Files.Select(Path.GetFileName));
    }

    [Fact]
    public void Save_AfterAKill_ClearsWhatItLeft()
    {
        using var scope = NewDisposeScope();
        File.WriteAllText(Path.Combine(folder, "00-000000005.safetensors.0123.tmp"), "half");

        new CheckpointFolder(folder).Save(State(0, 10), 1);

        Assert.Single(Directory.GetFiles(folder));
    }

    [Fact]
    public void Load_NewestNotSound_GoesBackToTheOneBeforeAndSaysSo()
    {
        using var scope = NewDisposeScope();
        var checkpoints = new CheckpointFolder(folder);
        checkpoints.Save(State(0, 5), 2);
        checkpoints.Save(State(0, 10), 2);
        var newest = checkpoints.Files[^1];
        File.WriteAllBytes(newest, File.ReadAllBytes(newest)[..^3]);
        var said = new List<string>();

        var loaded = checkpoints.Load(said.Add)!.Value;

        Assert.Equal(5, loaded.State.Step);
        Assert.Contains("not a sound safetensors file", Assert.Single(said));
    }

    [Fact]
    public void Load_NothingYet_IsNull() => Assert.Null(new CheckpointFolder(Path.Combine(folder, "none")).Load(_ => { }));

    private static TrainingState State(int stage, int step) => new(stage, step, 1.5, 999, [], [], new Dictionary<string, Tensor>
    {
        ["w"] = ones(2, 2),
        [TrainingState.Generator] = get_rng_state(),
    });
}
