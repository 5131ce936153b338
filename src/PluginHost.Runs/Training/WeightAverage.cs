using PluginHost.Graph;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>
/// An exponential moving average of the weights (Polyak and Juditsky 1992): <c>a ← d·a + (1 − d)·w</c> after each step, with
/// <c>d = min(decay, (1 + n) / (10 + n))</c> after n steps, so that a short stage's average forgets where it began.
/// </summary>
public sealed class WeightAverage : IDisposable
{
    private readonly double decay;
    private readonly IReadOnlyList<(string Name, Parameter Value)> parameters;
    private readonly Tensor[] averages;

    /// <param name="parameters">What is averaged; the average begins with their values.</param>
    /// <param name="decay">The part of the average that a step leaves, from 0 to 1.</param>
    public WeightAverage(IReadOnlyList<(string Name, Parameter Value)> parameters, double decay)
    {
        (this.parameters, this.decay) = (parameters, decay);
        using var _ = no_grad();
        averages = [.. parameters.Select(parameter => parameter.Value.detach().clone().DetachFromDisposeScope())];
    }

    /// <summary>The averages by parameter; they are its own.</summary>
    public IEnumerable<(string Name, Tensor Value)> Tensors() => parameters.Zip(averages, (parameter, average) => (parameter.Name, average));

    /// <summary>Takes the weights after a step in.</summary>
    /// <param name="steps">Steps of the stage taken so far, from 1.</param>
    public void Add(int steps)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var part = 1 - Math.Min(decay, (1.0 + steps) / (10 + steps));
        for (var i = 0; i < averages.Length; i++) averages[i].lerp_(parameters[i].Value, part);
    }

    /// <summary>Takes over averages of the same name and shape.</summary>
    public void Carry(WeightAverage former)
    {
        using var _ = no_grad();
        var old = former.Tensors().ToDictionary(item => item.Name, item => item.Value);
        foreach (var (name, value) in Tensors())
            if (old.TryGetValue(name, out var source) && source.shape.SequenceEqual(value.shape)) value.copy_(source);
    }

    /// <summary>Puts the averages in the weights' place until the result is disposed.</summary>
    public IDisposable Use()
    {
        Exchange();
        return new Exchanged(this);
    }

    public void Dispose()
    {
        foreach (var average in averages) average.Dispose();
    }

    private void Exchange()
    {
        using var _ = no_grad();
        for (var i = 0; i < averages.Length; i++)
        {
            using var weight = parameters[i].Value.detach();
            using var held = weight.clone();
            weight.copy_(averages[i]);
            averages[i].copy_(held);
        }
    }

    private sealed class Exchanged(WeightAverage average) : IDisposable
    {
        public void Dispose() => average.Exchange();
    }
}
