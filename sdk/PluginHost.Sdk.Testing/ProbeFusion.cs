using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>A fusion that uses all three points, to try towers with: a prefix, shifts of the input and between layers, a shift of the decision.</summary>
/// <param name="prefix">[B, P, D] with mask.</param>
/// <param name="shift">[B, 1, D], added at the input and between layers.</param>
/// <param name="bias">[B, 1, V], added to the logits.</param>
internal sealed class ProbeFusion(Masked prefix, Tensor shift, Tensor bias) : IFusionContext
{
    public const int PrefixLength = 3;

    public Masked? Prefix => prefix;

    public Tensor AtInput(Tensor embedded) => embedded + shift;

    public Tensor BetweenLayers(int layer, Tensor hidden) => hidden + shift;

    public Tensor AtOutput(Tensor hidden, Tensor logits) => logits + bias;

    /// <summary>One for a tower of some width and vocabulary.</summary>
    public static ProbeFusion Make(long rows, long width, long vocabulary, BatchCase batch)
    {
        var real = ones(rows, PrefixLength, dtype: ScalarType.Bool);
        if (batch.Presence == Presence.Absent) real.fill_(false);
        else if (batch.Presence == Presence.Holes) real[rows - 1] = false;
        return new(new Masked(randn(rows, PrefixLength, width), real), randn(rows, 1, width) * 0.1, randn(rows, 1, vocabulary));
    }

    /// <summary>The same fusion with another prefix where it is masked.</summary>
    public ProbeFusion ChangedWhereAbsent() => new((Masked)Values.ChangedWhereAbsent(prefix)!, shift, bias);

    /// <summary>One row of it.</summary>
    public ProbeFusion Row(long row) =>
        new(new Masked(prefix.Data.narrow(0, row, 1), prefix.Mask.narrow(0, row, 1)), shift.narrow(0, row, 1), bias.narrow(0, row, 1));
}
