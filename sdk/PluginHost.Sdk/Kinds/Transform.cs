namespace PluginHost.Sdk;

/// <summary>Kind <c>transform</c>: augmentation of training samples. Safe for concurrent calls.</summary>
public interface ITransform
{
    /// <summary>
    /// A changed copy of a sample; the sample itself stays as it is, its arrays too. Pictures keep their size and sounds their rate.
    /// What the sample says stays true: a transform that would make one of its texts or turns untrue leaves it as it is.
    /// </summary>
    /// <param name="sample">With its media decoded, and with just the caption and the turns that will be learnt from.</param>
    /// <param name="random">Seeded by the run's seed, the sample, the epoch and the transform's place: the only source of chance.</param>
    Sample Apply(Sample sample, Random random);
}
