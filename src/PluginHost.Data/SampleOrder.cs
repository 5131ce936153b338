namespace PluginHost.Data;

/// <summary>SplitMix64 over a key: the same key gives the same numbers wherever and whenever they are drawn.</summary>
internal struct KeyedRandom
{
    private ulong state;

    public KeyedRandom(params ReadOnlySpan<long> key)
    {
        foreach (var part in key) state = Mix(state + 0x9E3779B97F4A7C15 ^ (ulong)part);
    }

    public ulong Next() => Mix(state += 0x9E3779B97F4A7C15);

    /// <summary>An integer from 0 to <paramref name="count"/> - 1.</summary>
    public int Below(int count) => (int)(((UInt128)Next() * (ulong)count) >> 64);

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

/// <summary>The order of training: position p of an endless stream is a sample index, as a function of (seed, p) alone.</summary>
/// <param name="seed">Seed of the order.</param>
/// <param name="count">Samples in the split.</param>
internal sealed class SampleOrder(long seed, int count)
{
    /// <summary>
    /// Keeps the order's numbers apart from those that draw a sample's turns and language: with the same key, neighbours in the
    /// order would all draw alike, and an epoch would begin in one language and end in the other.
    /// </summary>
    private const long Domain = 0x6F72646572;

    private long epoch = -1;
    private int[] permutation = [];

    public int Count => count;

    public long Epoch(long position) => position / count;

    /// <summary>
    /// The sample at a position. When it turns out unusable, higher <paramref name="attempt"/>s name its stand-ins: from half an
    /// epoch on, so that a stand-in hardly ever meets itself in the same batch.
    /// </summary>
    public int Index(long position, int attempt)
    {
        Shuffle(Epoch(position));
        var place = position % count + (attempt == 0 ? 0 : count / 2 + attempt - 1);
        return permutation[place % count];
    }

    private void Shuffle(long wanted)
    {
        if (wanted == epoch) return;
        var keys = new ulong[count];
        permutation = new int[count];
        for (var i = 0; i < count; i++)
        {
            keys[i] = new KeyedRandom(Domain, seed, wanted, i).Next();
            permutation[i] = i;
        }
        Array.Sort(keys, permutation);
        epoch = wanted;
    }
}
