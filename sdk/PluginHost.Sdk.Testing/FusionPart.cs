using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>One point of a fusion and nothing else of it.</summary>
internal sealed class FusionPart : IFusionContext
{
    private readonly IFusionContext whole;

    private FusionPart(string name, IFusionContext whole) => (Name, this.whole) = (name, whole);

    /// <summary>Which point.</summary>
    public string Name { get; }

    /// <summary>Whether it acts through a tower's layers alone.</summary>
    public bool NeedsLayers => Name is nameof(Prefix) or nameof(BetweenLayers);

    /// <summary>Whether the tower has called it between layers.</summary>
    public bool HasLayers { get; private set; }

    public Masked? Prefix => Name == nameof(Prefix) ? whole.Prefix : null;

    public Tensor AtInput(Tensor embedded) => Name == nameof(AtInput) ? whole.AtInput(embedded) : embedded;

    public Tensor BetweenLayers(int layer, Tensor hidden)
    {
        HasLayers = true;
        return Name == nameof(BetweenLayers) ? whole.BetweenLayers(layer, hidden) : hidden;
    }

    public Tensor AtOutput(Tensor hidden, Tensor logits) => Name == nameof(AtOutput) ? whole.AtOutput(hidden, logits) : logits;

    /// <summary>Each point of a fusion by itself.</summary>
    public static IReadOnlyList<FusionPart> Each(IFusionContext whole) =>
        [.. new[] { nameof(Prefix), nameof(AtInput), nameof(BetweenLayers), nameof(AtOutput) }.Select(name => new FusionPart(name, whole))];
}
