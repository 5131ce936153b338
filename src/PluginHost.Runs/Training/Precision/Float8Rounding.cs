using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training.Precision;

/// <summary>
/// fp8: inputs and weights in E4M3, gradients in E5M2, each tensor scaled by a power of two so that the largest value of its last steps
/// fits (delayed scaling). A tensor without a history, in the first step, is scaled by its own largest value. Every map has scales of its
/// own, so the range of one modality says nothing about another's.
/// </summary>
internal sealed class Float8Rounding : IRounding, IDisposable
{
    private const int Steps = 16;

    private readonly Dictionary<string, (Tensor History, double Now)> histories = [];
    private readonly Lock gate = new();

    public Tensor Forward(Tensor value, string map, TensorRole role) => Round(value, $"{map}#{role}", Float8.E4M3);

    public Tensor Output(Tensor value) => value;

    public Tensor Gradient(Tensor value, string map) => Round(value, $"{map}#{TensorRole.Gradient}", Float8.E5M2);

    public Tensor GradientOutput(Tensor value) => value;

    /// <summary>The largest values of the last steps by map and role, float32 [steps]; in use.</summary>
    public IEnumerable<(string Name, Tensor Value)> Tensors() => histories.OrderBy(item => item.Key, StringComparer.Ordinal).Select(item => (item.Key, item.Value.History));

    /// <summary>Takes a checkpoint's histories over.</summary>
    public void Restore(IEnumerable<(string Name, Tensor Value)> saved)
    {
        foreach (var (name, value) in saved.ToArray()) histories[name] = (value.clone().DetachFromDisposeScope(), 0);
    }

    /// <summary>Ends a step: what it saw becomes history. Within a step scales stay as they are, whatever runs first.</summary>
    public void Advance()
    {
        using var scope = NewDisposeScope();
        foreach (var (name, (history, now)) in histories.ToArray())
        {
            history.copy_(history.roll(1));
            history[0] = (float)now;
            histories[name] = (history, 0);
        }
    }

    /// <summary>The power of two that brings a largest value just below the format's.</summary>
    public static double ScaleFor(double largest, Float8 format) =>
        largest > 0 && double.IsFinite(largest) ? Math.ScaleB(1, Math.Clamp((int)Math.Floor(Math.Log2(format.Largest / largest)), -100, 100)) : 1;

    public void Dispose()
    {
        foreach (var (history, _) in histories.Values) history.Dispose();
    }

    private Tensor Round(Tensor value, string name, Float8 format)
    {
        using var scope = NewDisposeScope();
        var largest = value.numel() == 0 ? 0 : value.abs().max().ToDouble();
        var scale = ScaleFor(Observe(name, largest), format);
        return (format.Round(value * scale) / scale).MoveToOuterDisposeScope();
    }

    /// <summary>Notes a tensor's largest value; returns the one to scale by.</summary>
    private double Observe(string name, double largest)
    {
        lock (gate)
        {
            if (!histories.TryGetValue(name, out var entry)) entry = (zeros(Steps).DetachFromDisposeScope(), 0);
            // A value that is not finite is the guard's business and would spoil the scales of 16 steps.
            histories[name] = (entry.History, double.IsFinite(largest) ? Math.Max(entry.Now, largest) : entry.Now);
            var before = entry.History.max().ToDouble();
            return before > 0 ? before : largest;
        }
    }
}
