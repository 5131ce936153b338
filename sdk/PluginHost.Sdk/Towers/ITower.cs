namespace PluginHost.Sdk;

/// <summary>What every transformer tower exposes to tuning methods, exporters and engines: named projections and key/value slots.</summary>
public interface ITower
{
    /// <summary>Every linear map, with stable dotted names such as <c>layers.3.attention.q_proj</c>.</summary>
    IReadOnlyList<Projection> Projections { get; }

    /// <summary>One slot per attention layer, in layer order.</summary>
    IReadOnlyList<KeyValueSlot> KeyValueSlots { get; }
}
