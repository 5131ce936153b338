using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training.Precision;

/// <summary>The number formats of a stage: the arithmetic of its linear maps and what has to be remembered for them.</summary>
internal sealed class StagePrecision : IDisposable
{
    private const string ScalePrefix = "scale.";
    private const string HistoryPrefix = "amax.";

    private readonly Float8Rounding? float8;

    public StagePrecision(ExecutableGraph graph, StageConfig config)
    {
        IRounding? rounding = config.Precision switch
        {
            StagePrecisions.Bf16 => new HalfRounding(ScalarType.BFloat16),
            StagePrecisions.Fp16 => new HalfRounding(ScalarType.Float16),
            StagePrecisions.Fp8 => float8 = new Float8Rounding(),
            _ => null,
        };
        if (rounding is not null) Arithmetic = new LowPrecision(rounding, graph.Parameters);
        else if (OneDnn.IsPreferred) Arithmetic = new OneDnnArithmetic();
        if (config.Precision == StagePrecisions.Fp16) Scales = new GradientScales(graph.Plan, config.LossScale);
    }

    /// <summary>For forward and backward passes; null: that of the tensors' own type, as libtorch does it.</summary>
    public IArithmetic? Arithmetic { get; }

    /// <summary>The loss scales of fp16, or null.</summary>
    public GradientScales? Scales { get; }

    /// <summary>Ends a step that was taken.</summary>
    public void Advance()
    {
        Scales?.Grow();
        float8?.Advance();
    }

    /// <summary>What a checkpoint keeps.</summary>
    public IEnumerable<(string Name, Tensor Value)> Tensors() =>
        (Scales?.Tensors().Select(item => (ScalePrefix + item.Name, item.Value)) ?? [])
            .Concat(float8?.Tensors().Select(item => (HistoryPrefix + item.Name, item.Value)) ?? []);

    /// <summary>Makes room for the histories of a checkpoint, which only grow as maps are used.</summary>
    public void Restore(IReadOnlyDictionary<string, Tensor> saved) => float8?.Restore(
        saved.Where(item => item.Key.StartsWith(HistoryPrefix, StringComparison.Ordinal)).Select(item => (item.Key[HistoryPrefix.Length..], item.Value)));

    /// <summary>Takes over what fits of the version before.</summary>
    public void Carry(StagePrecision former)
    {
        if (former.float8 is { } histories) float8?.Restore(histories.Tensors());
        if (Scales is null || former.Scales is null) return;
        var old = former.Scales.Tensors().ToDictionary(item => item.Name, item => item.Value);
        foreach (var (name, value) in Scales.Tensors())
            if (old.TryGetValue(name, out var source)) value.copy_(source);
    }

    public void Dispose()
    {
        Scales?.Dispose();
        float8?.Dispose();
    }
}
