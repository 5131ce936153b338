using System.Numerics;

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

    /// <summary>A number from 0 to 1, without 1.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>
    /// Where a place goes in the key's permutation of 0 to <paramref name="count"/> - 1, without making the others: a Feistel network over the next
    /// power of four, walked on from what lies beyond the count (Black and Rogaway 2002).
    /// </summary>
    public readonly int Permuted(int place, int count)
    {
        const int rounds = 6;
        var half = (BitOperations.Log2((uint)Math.Max(count - 1, 1)) + 2) / 2;
        var mask = (1UL << half) - 1;
        var value = (ulong)place;
        do
        {
            var (left, right) = (value >> half, value & mask);
            for (var round = 0UL; round < rounds; round++) (left, right) = (right, left ^ (Mix(state ^ (round << 56) ^ right) & mask));
            value = (left << half) | right;
        }
        while (value >= (ulong)count);
        return (int)value;
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
