using System.Numerics;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>
/// AdamW in one pass over memory, which is all that its time goes into: weight, gradient and moments of every parameter are read once and
/// written once, whatever the number of parameters, and clipping is a factor on the way.
/// </summary>
internal static unsafe class AdamWKernel
{
    private const int BlockLength = 1 << 14;

    /// <summary>One parameter's part of a step.</summary>
    public readonly record struct Item(Tensor Weight, Tensor Gradient, Tensor Mean, Tensor Variance, double Rate, double Decay, double Step);

    private readonly record struct Block(nint Weight, nint Gradient, nint Mean, nint Variance, int Length, Factors Factors);

    private readonly record struct Factors(float Clip, float Keep, float Rate, float Root);

    /// <summary>Whether all of a parameter's tensors are such as this reads.</summary>
    public static bool Reads(AdamW.State state) => Reads(state.Detached) && Reads(state.Parameter.grad!);

    private static bool Reads(Tensor x) => Floats.Reads(x) && x.is_contiguous();

    /// <summary>Takes the step.</summary>
    /// <param name="items">The parameters.</param>
    /// <param name="clip">What gradients are multiplied by.</param>
    /// <param name="beta1">Decay of the mean.</param>
    /// <param name="beta2">Decay of the variance.</param>
    /// <param name="epsilon">Added to the root of the variance.</param>
    public static void Step(IEnumerable<Item> items, double clip, double beta1, double beta2, double epsilon)
    {
        var blocks = items.SelectMany(item => Cut(item, new Factors(
            (float)clip, (float)(1 - item.Rate * item.Decay), (float)(item.Rate / (1 - Math.Pow(beta1, item.Step))), (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, item.Step)))))).ToArray();
        TorchThreads.ForEach(blocks.Length, i => Step(blocks[i], (float)(1 - beta1), (float)beta2, (float)epsilon));
    }

    /// <summary>The sum of the squares of all gradients.</summary>
    public static double SumOfSquares(IReadOnlyList<Tensor> gradients)
    {
        var blocks = gradients.SelectMany(gradient => Lengths(gradient).Select(part => (Start: (nint)(Floats.Of(gradient) + part.Start), part.Length))).ToArray();
        var sums = new double[blocks.Length];
        TorchThreads.ForEach(blocks.Length, i => sums[i] = SumOfSquares((float*)blocks[i].Start, blocks[i].Length));
        return sums.Sum();
    }

    private static IEnumerable<(int Start, int Length)> Lengths(Tensor x)
    {
        var count = (int)x.numel();
        for (var start = 0; start < count; start += BlockLength) yield return (start, Math.Min(BlockLength, count - start));
    }

    private static Block[] Cut(Item item, Factors factors)
    {
        var (weight, gradient, mean, variance) = ((nint)Floats.Of(item.Weight), (nint)Floats.Of(item.Gradient), (nint)Floats.Of(item.Mean), (nint)Floats.Of(item.Variance));
        return [.. Lengths(item.Weight).Select(part =>
        {
            var offset = part.Start * sizeof(float);
            return new Block(weight + offset, gradient + offset, mean + offset, variance + offset, part.Length, factors);
        })];
    }

    private static void Step(Block block, float part1, float beta2, float epsilon)
    {
        var weight = (float*)block.Weight;
        var gradient = (float*)block.Gradient;
        var mean = (float*)block.Mean;
        var variance = (float*)block.Variance;
        var (factors, small, i) = (block.Factors, new Vector<float>(epsilon), 0);
        for (; i <= block.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var g = Vector.Load(gradient + i) * factors.Clip;
            var m = Vector.Load(mean + i);
            m += (g - m) * part1;
            var v = Vector.Load(variance + i) * beta2 + g * g * (1 - beta2);
            m.Store(mean + i);
            v.Store(variance + i);
            (Vector.Load(weight + i) * factors.Keep - m / (Vector.SquareRoot(v) * factors.Root + small) * factors.Rate).Store(weight + i);
        }
        for (; i < block.Length; i++)
        {
            var g = gradient[i] * factors.Clip;
            var m = mean[i] += (g - mean[i]) * part1;
            var v = variance[i] = variance[i] * beta2 + g * g * (1 - beta2);
            weight[i] = weight[i] * factors.Keep - m / (MathF.Sqrt(v) * factors.Root + epsilon) * factors.Rate;
        }
    }

    private static double SumOfSquares(float* x, int length)
    {
        var (first, second, i) = (Vector<float>.Zero, Vector<float>.Zero, 0);
        for (; i <= length - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            var (a, b) = (Vector.Load(x + i), Vector.Load(x + i + Vector<float>.Count));
            first += a * a;
            second += b * b;
        }
        double sum = Vector.Sum(first + second);
        for (; i < length; i++) sum += (double)x[i] * x[i];
        return sum;
    }
}
