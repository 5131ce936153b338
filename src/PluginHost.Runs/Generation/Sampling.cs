using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Generation;

/// <summary>How the next token is chosen.</summary>
/// <param name="MaxTokens">Tokens at most; an answer that is not finished by then is cut.</param>
/// <param name="Temperature">0: the most likely token (greedy); 1: the model's own distribution.</param>
/// <param name="TopP">Only the most likely tokens whose probabilities add up to this take part (nucleus sampling, Holtzman et al. 2020).</param>
/// <param name="Seed">Seed of the sampling.</param>
public sealed record Sampling(int MaxTokens = 48, double Temperature = 0, double TopP = 1, int Seed = 0)
{
    /// <summary>This, if its values are in range.</summary>
    /// <exception cref="UserErrorException">One is not; all are named.</exception>
    public Sampling Checked()
    {
        var problems = new List<string>();
        if (MaxTokens < 1) problems.Add($"max tokens {MaxTokens} is less than 1");
        if (!(Temperature >= 0 && double.IsFinite(Temperature))) problems.Add($"temperature {Temperature} is not 0 or more");
        if (!(TopP > 0 && TopP <= 1)) problems.Add($"top-p {TopP} is not above 0 and at most 1");
        return problems.Count == 0 ? this : throw new UserErrorException($"Sampling: {string.Join("; ", problems)}.");
    }

    /// <summary>Chooses a token for each row.</summary>
    /// <param name="logits">[rows, vocabulary].</param>
    /// <param name="random">The generator of this generation; not used when greedy.</param>
    public long[] Choose(Tensor logits, Random random)
    {
        using var scope = NewDisposeScope();
        if (Temperature <= 0) return logits.argmax(-1).data<long>().ToArray();
        using Scalar temperature = Temperature;
        var (sorted, order) = nn.functional.softmax(logits / temperature, -1).sort(-1, descending: true);
        var probabilities = sorted.to(float32).cpu();
        var rows = probabilities.size(0);
        var width = (int)probabilities.size(1);
        var flat = probabilities.data<float>().ToArray();
        var ids = order.cpu().data<long>().ToArray();
        var chosen = new long[rows];
        for (var row = 0; row < rows; row++)
            chosen[row] = ids[row * width + Draw(flat.AsSpan(row * width, width), random.NextDouble())];
        return chosen;
    }

    /// <summary>Draws an index from descending probabilities, cut to the nucleus.</summary>
    internal int Draw(ReadOnlySpan<float> descending, double uniform)
    {
        double mass = 0;
        var nucleus = 0;
        while (nucleus < descending.Length && (nucleus == 0 || mass < TopP)) mass += descending[nucleus++];
        var target = uniform * mass;
        for (var i = 0; i < nucleus; i++)
        {
            target -= descending[i];
            if (target < 0) return i;
        }
        return nucleus - 1;
    }
}
