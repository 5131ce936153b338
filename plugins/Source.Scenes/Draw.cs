namespace Source.Scenes;

/// <summary>SplitMix64 keyed by (seed, split, index): as many scenes as wanted, in any order, on any thread.</summary>
internal struct Draw
{
    private ulong state;

    public Draw(long seed, string split, int index)
    {
        state = (ulong)seed;
        foreach (var letter in split) state = Mix(state ^ letter);
        state = Mix(state ^ (ulong)index);
    }

    /// <summary>An integer from 0 to <paramref name="count"/> - 1.</summary>
    public int Below(int count) => (int)(((UInt128)Next() * (ulong)count) >> 64);

    public bool Coin() => (Next() & 1) == 0;

    public float Between(float low, float high) => low + (high - low) * ((Next() >> 40) / (float)(1 << 24));

    public T Of<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    private ulong Next() => Mix(state += 0x9E3779B97F4A7C15);

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
