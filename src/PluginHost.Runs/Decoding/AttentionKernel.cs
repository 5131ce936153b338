using System.Runtime.Intrinsics;

namespace PluginHost.Runs.Decoding;

/// <summary>
/// One query against the keys and values of a slot, whose heads are multiples of eight wide. A key's score and each column of the result are one chain of operations in one
/// order, whatever else is computed beside them.
/// </summary>
internal static unsafe class AttentionKernel
{
    private const int Lanes = 8;

    /// <summary>Scaled products of a query with each key.</summary>
    /// <param name="query">[width].</param>
    /// <param name="keys">[scores.Length, width].</param>
    /// <param name="width">Of a head; a multiple of 8.</param>
    /// <param name="scale">What each is multiplied by.</param>
    /// <param name="scores">One for each key.</param>
    public static void Scores(float* query, float* keys, int width, float scale, Span<float> scores)
    {
        var i = 0;
        for (; i + 4 <= scores.Length; i += 4, keys += 4L * width)
        {
            float* second = keys + width, third = second + width, fourth = third + width;
            var (a, b, c, d) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
            for (var at = 0; at < width; at += Lanes)
            {
                var part = Vector256.Load(query + at);
                a = Vector256.FusedMultiplyAdd(part, Vector256.Load(keys + at), a);
                b = Vector256.FusedMultiplyAdd(part, Vector256.Load(second + at), b);
                c = Vector256.FusedMultiplyAdd(part, Vector256.Load(third + at), c);
                d = Vector256.FusedMultiplyAdd(part, Vector256.Load(fourth + at), d);
            }
            (scores[i], scores[i + 1], scores[i + 2], scores[i + 3]) = (scale * Vector256.Sum(a), scale * Vector256.Sum(b), scale * Vector256.Sum(c), scale * Vector256.Sum(d));
        }
        for (; i < scores.Length; i++, keys += width)
        {
            var sum = Vector256<float>.Zero;
            for (var at = 0; at < width; at += Lanes) sum = Vector256.FusedMultiplyAdd(Vector256.Load(query + at), Vector256.Load(keys + at), sum);
            scores[i] = scale * Vector256.Sum(sum);
        }
    }

    /// <summary>The values, each by its weight, added up.</summary>
    /// <param name="weights">One for each value.</param>
    /// <param name="values">[weights.Length, width].</param>
    /// <param name="width">Of a head; a multiple of 8.</param>
    /// <param name="result">[width].</param>
    public static void Mix(ReadOnlySpan<float> weights, float* values, int width, float* result)
    {
        var column = 0;
        for (; column + 4 * Lanes <= width; column += 4 * Lanes)
        {
            var (a, b, c, d) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
            var value = values + column;
            for (var i = 0; i < weights.Length; i++, value += width)
            {
                var weight = Vector256.Create(weights[i]);
                a = Vector256.FusedMultiplyAdd(Vector256.Load(value), weight, a);
                b = Vector256.FusedMultiplyAdd(Vector256.Load(value + Lanes), weight, b);
                c = Vector256.FusedMultiplyAdd(Vector256.Load(value + 2 * Lanes), weight, c);
                d = Vector256.FusedMultiplyAdd(Vector256.Load(value + 3 * Lanes), weight, d);
            }
            a.Store(result + column);
            b.Store(result + column + Lanes);
            c.Store(result + column + 2 * Lanes);
            d.Store(result + column + 3 * Lanes);
        }
        for (; column < width; column += Lanes)
        {
            var sum = Vector256<float>.Zero;
            var value = values + column;
            for (var i = 0; i < weights.Length; i++, value += width) sum = Vector256.FusedMultiplyAdd(Vector256.Load(value), Vector256.Create(weights[i]), sum);
            sum.Store(result + column);
        }
    }
}
