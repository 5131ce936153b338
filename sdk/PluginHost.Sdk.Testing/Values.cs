using PluginHost.Catalog.Ports;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>What the values of a batch are like.</summary>
public enum Content
{
    /// <summary>Ordinary numbers.</summary>
    Ordinary,

    /// <summary>Zeros, or the same token everywhere.</summary>
    Zero,

    /// <summary>Far larger than anything that training shows; pictures and sounds at both ends of their range.</summary>
    Extreme,
}

/// <summary>Which part of a batch is real.</summary>
public enum Presence
{
    /// <summary>All of it.</summary>
    Whole,

    /// <summary>The last position of the first row is absent, and so is the last row.</summary>
    Holes,

    /// <summary>None of it.</summary>
    Absent,
}

/// <summary>A batch to try a node with.</summary>
/// <param name="Content">What its values are like.</param>
/// <param name="Presence">Which part is real.</param>
/// <param name="Single">Whether it has one row, and each sequence one token.</param>
public sealed record BatchCase(Content Content = Content.Ordinary, Presence Presence = Presence.Whole, bool Single = false)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Content} values, {Presence}{(Single ? ", one row of one token" : "")}";
}

/// <summary>Makes the values that travel over ports, as the host would.</summary>
internal static class Values
{
    /// <summary>A value of a port's type; draws from torch's generator.</summary>
    public static object Make(PortType type, IReadOnlyList<long> shape, BatchCase batch) => type.Structure switch
    {
        PortStructure.Float => Floats(batch, [.. shape]),
        PortStructure.Int => zeros([.. shape], dtype: ScalarType.Int64),
        PortStructure.Bool => ones([.. shape], dtype: ScalarType.Bool),
        PortStructure.Pixels => new Masked(Bounded(batch, 0, [.. shape]), Mask(batch, shape[0])),
        PortStructure.Wave => new Masked(Bounded(batch, -1, shape[0], shape[1]), Mask(batch, shape[0], shape[1])),
        PortStructure.Video => new Masked(Bounded(batch, 0, [.. shape]), Mask(batch, shape[0], shape[1])),
        PortStructure.Sequence => new Masked(Floats(batch, [.. shape]), Mask(batch, shape[0], shape[1])),
        PortStructure.Ids => Text(batch, shape[0], shape[1], shape[2]),
        _ => throw new InvalidOperationException($"A value of type {type} is not made from numbers alone."),
    };

    /// <summary>The same value with other numbers wherever its mask is false.</summary>
    public static object? ChangedWhereAbsent(object? value) => value switch
    {
        TextBatch text => text with { Data = where(text.Mask, text.Ids, text.Ids.eq(0).to(ScalarType.Int64)), Ids = where(text.Mask, text.Ids, text.Ids.eq(0).to(ScalarType.Int64)) },
        // Pictures have a mask over rows alone, videos over frames; everything else over positions. Both ends stay within 0..1 and -1..1 for them.
        Masked { Data: var data, Mask: var mask } => new Masked(where(Over(mask, data), data, data.dim() == 3 ? data + 50 : 1 - data.abs()), mask),
        _ => value,
    };

    /// <summary>A mask with as many dimensions as the data.</summary>
    public static Tensor Over(Tensor mask, Tensor data) => mask.view([.. mask.shape, .. Enumerable.Repeat(1L, (int)(data.dim() - mask.dim()))]);

    /// <summary>Text of given ids [rows, tokens]; an id below 0 is padding.</summary>
    /// <param name="ids">Ids.</param>
    /// <param name="segments">For packed rows, the segment of each position; null: one a row.</param>
    public static TextBatch Text(Tensor ids, Tensor? segments = null)
    {
        var mask = ids.ge(0);
        var real = ids.clamp_min(0);
        var owners = (segments ?? ones_like(ids)) * mask.to(ScalarType.Int64);
        var (rows, tokens) = (ids.size(0), ids.size(1));
        var positions = zeros_like(ids);
        var targets = full_like(ids, TextBatch.Ignore);
        for (var i = 1; i < tokens; i++)
        {
            var same = owners.select(1, i).eq(owners.select(1, i - 1));
            positions.select(1, i).copy_((positions.select(1, i - 1) + 1) * same.to(ScalarType.Int64));
            targets.select(1, i - 1).copy_(where(same.logical_and(mask.select(1, i)), real.select(1, i), targets.select(1, i - 1)));
        }
        return new TextBatch(real, mask, owners, positions, targets, targets.ne(TextBatch.Ignore).to(ScalarType.Float32))
        {
            Packed = segments is not null,
            Padded = !mask.all().item<bool>(),
        };
    }

    private static TextBatch Text(BatchCase batch, long rows, long tokens, long vocabulary)
    {
        var ids = batch.Content switch
        {
            Content.Ordinary => randint(0, vocabulary, [rows, tokens], dtype: ScalarType.Int64),
            Content.Zero => zeros([rows, tokens], dtype: ScalarType.Int64),
            _ => full([rows, tokens], vocabulary - 1, dtype: ScalarType.Int64),
        };
        return Text(where(Mask(batch, rows, tokens), ids, -1));
    }

    private static Tensor Floats(BatchCase batch, params long[] shape) => randn(shape) * batch.Content switch { Content.Ordinary => 1, Content.Zero => 0, _ => 1e4 };

    // Pictures in 0..1, sounds in -1..1.
    private static Tensor Bounded(BatchCase batch, double minimum, params long[] shape) => batch.Content switch
    {
        Content.Ordinary => rand(shape) * 0.9 + 0.05 + (minimum < 0 ? rand(shape) - 1 : 0),
        Content.Zero => zeros(shape),
        _ => rand(shape).gt(0.5).to(ScalarType.Float32) * (1 - minimum) + minimum,
    };

    private static Tensor Mask(BatchCase batch, params long[] shape)
    {
        var mask = full(shape, batch.Presence != Presence.Absent, dtype: ScalarType.Bool);
        if (batch.Presence != Presence.Holes) return mask;
        if (shape.Length > 1 && shape[1] > 1) mask[0].narrow(0, shape[1] - Math.Max(1, shape[1] / 5), Math.Max(1, shape[1] / 5)).fill_(false);
        if (shape[0] > 1) mask[shape[0] - 1] = false;
        return mask;
    }
}
