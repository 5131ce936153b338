using System.Numerics;
using PluginHost.Runs.Generation;
using PluginHost.Sdk;

namespace PluginHost.Runs.Decoding;

/// <summary>Room for a choice, used by one choice at a time: nothing that scales with the vocabulary is allocated for a token.</summary>
internal sealed class ChoiceScratch(int vocabulary)
{
    public float[] Weights { get; } = new float[vocabulary];

    public float[] Likely { get; } = new float[vocabulary];

    public int[] LikelyIds { get; } = new int[vocabulary];

    /// <summary>A bit for each token that a constraint allows.</summary>
    public ulong[] Allowed { get; } = new ulong[(vocabulary + 63) / 64];
}

/// <summary>Chooses the tokens of one request, with a generator of its own: the same logits give the same tokens, whatever goes on beside it.</summary>
/// <param name="request">How to choose.</param>
/// <param name="end">The token that ends an answer.</param>
internal sealed class TokenChooser(DecodeRequest request, int end)
{
    private readonly Sampling sampling = request.Sampling;
    private readonly Random random = new(request.Sampling.Seed);
    private readonly IConstraintState? constraint = request.Constraint?.Begin();
    private readonly HashSet<int>? seen = request.RepetitionPenalty == 1 ? null : [.. request.Prompt.Where(id => id != end)];

    /// <summary>Chooses a token.</summary>
    /// <param name="logits">[vocabulary]; left as they are.</param>
    /// <param name="scratch">Room for as many.</param>
    /// <exception cref="ArithmeticException">The logits are no numbers to choose by.</exception>
    /// <exception cref="InvalidOperationException">The constraint allows no token that the model could give.</exception>
    public (int Token, TokenLogProbability? LogProbability) Choose(ReadOnlySpan<float> logits, ChoiceScratch scratch)
    {
        var most = logits[Largest(logits)];
        if (!float.IsFinite(most)) throw new ArithmeticException($"the largest logit is {most}");
        var token = Token(logits, scratch);
        var likely = request.LogProbabilities is { } count ? LogProbability(logits, most, token, count, scratch) : null;
        if (token != end)
        {
            seen?.Add(token);
            constraint?.Accept(token);
        }
        return (token, likely);
    }

    private int Token(ReadOnlySpan<float> logits, ChoiceScratch scratch)
    {
        if (seen is null && constraint is null && sampling.Temperature <= 0) return Largest(logits);
        var weights = scratch.Weights.AsSpan(0, logits.Length);
        logits.CopyTo(weights);
        if (seen is not null) Penalise(weights);
        if (constraint is not null) Constrain(weights, scratch.Allowed);
        var best = Largest(weights);
        if (weights[best] == float.NegativeInfinity) throw new InvalidOperationException("the constraint of this answer allows no token that the model could give");
        if (sampling.Temperature <= 0) return best;
        var sum = Exponentials(weights, weights[best], 1 / sampling.Temperature);
        return sampling.TopP < 1 ? DrawNucleus(weights, sum, scratch) : Draw(weights, sum);
    }

    private void Penalise(Span<float> logits)
    {
        var penalty = (float)request.RepetitionPenalty;
        foreach (var id in seen!) logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
    }

    private void Constrain(Span<float> logits, Span<ulong> allowed)
    {
        constraint!.Mask(allowed);
        if (constraint.MayEnd) allowed[end / 64] |= 1UL << (end % 64);
        else allowed[end / 64] &= ~(1UL << (end % 64));
        for (var word = 0; word < allowed.Length; word++)
        {
            var some = logits.Slice(64 * word, Math.Min(64, logits.Length - 64 * word));
            if (allowed[word] == 0) some.Fill(float.NegativeInfinity);
            else
                for (var i = 0; i < some.Length; i++)
                    if ((allowed[word] >> i & 1) == 0) some[i] = float.NegativeInfinity;
        }
    }

    private int Draw(ReadOnlySpan<float> weights, double sum)
    {
        var target = random.NextDouble() * sum;
        var last = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] == 0) continue;
            target -= weights[last = i];
            if (target < 0) break;
        }
        return last;
    }

    // All tokens below (1 - p) / vocabulary together weigh less than 1 - p: the nucleus is among the others, and only they are sorted.
    private int DrawNucleus(ReadOnlySpan<float> weights, double sum, ChoiceScratch scratch)
    {
        var least = (1 - sampling.TopP) / weights.Length * sum;
        var count = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] < least) continue;
            (scratch.Likely[count], scratch.LikelyIds[count]) = ((float)(weights[i] / sum), i);
            count++;
        }
        var likely = scratch.Likely.AsSpan(0, count);
        var ids = scratch.LikelyIds.AsSpan(0, count);
        likely.Sort(ids);
        likely.Reverse();
        ids.Reverse();
        return ids[sampling.Draw(likely, random.NextDouble())];
    }

    private static TokenLogProbability LogProbability(ReadOnlySpan<float> logits, float most, int token, int count, ChoiceScratch scratch)
    {
        var weights = scratch.Weights.AsSpan(0, logits.Length);
        logits.CopyTo(weights);
        var total = most + Math.Log(Exponentials(weights, most, 1));
        count = Math.Min(count, logits.Length);
        var ids = scratch.LikelyIds.AsSpan(0, count);
        Span<float> best = stackalloc float[count];
        best.Fill(float.NegativeInfinity);
        for (var id = 0; id < logits.Length && count > 0; id++)
        {
            // The first `count` are taken as they come: there may be many that are minus infinity.
            if (id >= count && !(logits[id] > best[^1])) continue;
            var place = Math.Min(id, count - 1);
            for (; place > 0 && logits[id] > best[place - 1]; place--) (best[place], ids[place]) = (best[place - 1], ids[place - 1]);
            (best[place], ids[place]) = (logits[id], id);
        }
        var alternatives = new (int, double)[count];
        for (var i = 0; i < count; i++) alternatives[i] = (ids[i], best[i] - total);
        return new TokenLogProbability(logits[token] - total, alternatives);
    }

    // Of equal ones the first; one that is not a number comes before all.
    private static int Largest(ReadOnlySpan<float> values)
    {
        var best = 0;
        for (var i = 1; i < values.Length; i++)
            if (!(values[i] <= values[best]) && !float.IsNaN(values[best])) best = i;
        return best;
    }

    // e^((value - most) * scale) in place; returns their sum. A scale beyond fp32 would make 0 * infinity of the largest.
    private static double Exponentials(Span<float> values, float most, double scale)
    {
        var factor = (float)Math.Min(scale, 1e30);
        var sum = 0.0;
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var part = values.Slice(i, Vector<float>.Count);
            var powers = Vector.Exp((new Vector<float>(part) - new Vector<float>(most)) * factor);
            powers.CopyTo(part);
            sum += Vector.Sum(powers);
        }
        for (; i < values.Length; i++) sum += values[i] = MathF.Exp((values[i] - most) * factor);
        return sum;
    }
}
