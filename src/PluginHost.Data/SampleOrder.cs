namespace PluginHost.Data;

/// <summary>The samples of one source in a split: indices from <paramref name="First"/> on, and how often they are taken against the others.</summary>
internal readonly record struct SourcePart(int First, int Count, int Weight);

/// <summary>
/// The order of training: position p of an endless stream is a sample index, as a function of (seed, p) alone, found without a look at any other
/// position. Each source goes through epochs of its own, each in a new order; of every so many positions as the weights add up to, counted from
/// the first, each source has exactly its weight.
/// </summary>
/// <param name="seed">Seed of the order.</param>
/// <param name="parts">The sources; none is empty.</param>
internal sealed class SampleOrder(long seed, IReadOnlyList<SourcePart> parts)
{
    // Keep the order's numbers apart from those that draw a sample's turns and language: with the same key, neighbours in the order would
    // all draw alike, and an epoch would begin in one language and end in the other.
    private const long Domain = 0x6F72646572;
    private const long MixDomain = 0x6D6978;

    private readonly int cycle = parts.Sum(part => part.Weight);

    /// <summary>Samples of all sources.</summary>
    public int Count { get; } = parts.Sum(part => part.Count);

    /// <summary>
    /// The sample at a position, and the epoch of its source. When it turns out unusable, higher <paramref name="attempt"/>s name its stand-ins
    /// from the same source: from half an epoch on, so that a stand-in hardly ever meets itself in the same batch.
    /// </summary>
    public (int Index, long Epoch) At(long position, int attempt)
    {
        var slot = cycle == 1 ? 0 : new KeyedRandom(MixDomain, seed, position / cycle).Permuted((int)(position % cycle), cycle);
        var source = 0;
        for (; slot >= parts[source].Weight; source++) slot -= parts[source].Weight;
        var part = parts[source];
        var own = position / cycle * part.Weight + slot; // the source's own position
        var (epoch, place) = (own / part.Count, own % part.Count + (attempt == 0 ? 0 : part.Count / 2 + attempt - 1));
        return (part.First + new KeyedRandom(Domain, seed, source, epoch).Permuted((int)(place % part.Count), part.Count), epoch);
    }
}
