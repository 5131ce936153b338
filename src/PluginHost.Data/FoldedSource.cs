using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>
/// A source whose training split lacks one of its folds, or has nothing else, as in k-fold cross-validation: a model that has learnt without a fold answers for it as for what is new.
/// Every so manieth sample is of a fold; the other splits are whole. Owns the source.
/// </summary>
public sealed class FoldedSource : ISource
{
    private readonly ISource source;
    private readonly string name;
    private readonly Dictionary<string, int[]> kept;

    private FoldedSource(ISource source, string name, Func<int, bool> keeps)
    {
        (this.source, this.name) = (source, name);
        kept = source.Splits.Where(split => split == PluginHost.Sdk.Splits.Train).ToDictionary(split => split, split => Enumerable.Range(0, source.Count(split)).Where(keeps).ToArray());
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Splits => source.Splits;

    /// <inheritdoc/>
    public string Fingerprint => $"{source.Fingerprint} {name}";

    /// <summary>All but one fold.</summary>
    /// <param name="source">The source.</param>
    /// <param name="folds">How many there are; with 1 nothing is left out.</param>
    /// <param name="fold">Which one is left out, from 0.</param>
    public static ISource Without(ISource source, int folds, int fold) => folds == 1 ? source : new FoldedSource(source, $"without fold {fold} of {folds}", index => index % folds != fold);

    /// <summary>One fold alone.</summary>
    /// <param name="source">The source.</param>
    /// <param name="folds">How many there are.</param>
    /// <param name="fold">Which one, from 0.</param>
    public static ISource Only(ISource source, int folds, int fold) => folds == 1 ? source : new FoldedSource(source, $"fold {fold} of {folds}", index => index % folds == fold);

    /// <inheritdoc/>
    public int Count(string split) => kept.TryGetValue(split, out var indices) ? indices.Length : source.Count(split);

    /// <inheritdoc/>
    public Sample Read(string split, int index) => source.Read(split, kept.TryGetValue(split, out var indices) ? indices[index] : index);

    /// <inheritdoc/>
    public void Dispose() => source.Dispose();
}
