using PluginHost.Sdk;

namespace PluginHost.Runs.Decoding;

/// <summary>What one slot of an engine holds.</summary>
internal sealed class SlotState
{
    /// <summary>Whether a sequence has begun here.</summary>
    public bool Begun { get; set; }

    public IFusionContext? Context { get; set; }

    public AdapterSet? Adapters { get; set; }

    /// <summary>Keys that stand before the text's.</summary>
    public int Before { get; set; }

    /// <summary>Position of the text's first token; those that are hidden before it count too.</summary>
    public int FirstPosition { get; set; }

    /// <summary>Tokens of the text.</summary>
    public int Tokens { get; set; }

    /// <summary>Whether the fusion changed anything at its last call of the kind: a strategy that leaves a point alone always does.</summary>
    public bool[] Between { get; set; } = [];

    public bool AtInput { get; set; } = true;

    public bool AtOutput { get; set; } = true;
}
