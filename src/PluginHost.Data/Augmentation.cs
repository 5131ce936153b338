using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>A loaded transform and the chance with which a sample goes through it.</summary>
public sealed record ChosenTransform(string Id, double Chance, ITransform Transform);

/// <summary>Transforms of a training sample: a function of (seed, epoch, sample, place in the list), whoever computes it and when.</summary>
internal static class Augmentation
{
    // Keeps these numbers apart from those that order the samples and draw their turns.
    private const long Domain = 0x6175676D;

    public static Sample Apply(IReadOnlyList<ChosenTransform> transforms, Sample sample, long seed, long epoch, int index)
    {
        for (var place = 0; place < transforms.Count; place++)
        {
            var random = new KeyedRandom(Domain, seed, epoch, index, place);
            if (random.Below(1 << 30) >= transforms[place].Chance * (1 << 30)) continue;
            sample = transforms[place].Transform.Apply(sample, new Random((int)random.Next()));
        }
        return sample;
    }
}
