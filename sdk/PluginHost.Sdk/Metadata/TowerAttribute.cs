namespace PluginHost.Sdk;

/// <summary>
/// What the tower that a plugin builds exposes, so that a plan knows what a tuning trains without building it: in each layer <c>layers.N.attention.</c> with
/// <c>q_proj</c>, <c>k_proj</c>, <c>v_proj</c>, <c>o_proj</c> and <c>layers.N.feed_forward.</c> with <c>gate_proj</c>, <c>up_proj</c>, <c>down_proj</c>. Formulas
/// as in <see cref="CostAttribute"/>. A tower of other projections goes without: then plans leave its share open.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class TowerAttribute : Attribute
{
    /// <summary>Number of layers.</summary>
    public required string Layers { get; init; }

    /// <summary>Width of the hidden states.</summary>
    public required string Width { get; init; }

    /// <summary>Width of a position's keys, over all key/value heads.</summary>
    public required string KeyWidth { get; init; }

    /// <summary>Width inside the feed-forward layer.</summary>
    public required string FeedForward { get; init; }
}
