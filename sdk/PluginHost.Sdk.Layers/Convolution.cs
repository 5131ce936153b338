using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace PluginHost.Sdk.Layers;

/// <summary>
/// Convolutions as matrix products on a CPU. libtorch's own (2.10, by oneDNN) are not to be trusted there: where channels do not fill the last
/// of its blocks of 8 or 16 it multiplies memory that nothing has written by zero, which is NaN now and then, and with AVX-512 the backward
/// pass of some strides gives wrong numbers.
/// </summary>
public static class Convolution
{
    /// <summary>A convolution along the dimensions that the weight has behind its channels: one, or two.</summary>
    /// <param name="x">[batch, inputs, length] or [batch, inputs, height, width].</param>
    /// <param name="weight">[outputs, inputs, size] or [outputs, inputs, size, size].</param>
    /// <param name="bias">[outputs], if any.</param>
    /// <param name="stride">The same along each dimension.</param>
    /// <param name="padding">Zeros before and behind, the same along each dimension.</param>
    /// <returns>[batch, outputs, ...], each dimension (length + 2 · padding − size) / stride + 1.</returns>
    public static Tensor Forward(Tensor x, Tensor weight, Tensor? bias, long stride, long padding)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        var (lines, size) = (weight.dim() == 3, weight.size(-1));
        if (x.device_type != DeviceType.CPU)
            return lines ? conv1d(x, weight, bias, stride, padding) : conv2d(x, weight, bias, [stride, stride], [padding, padding]);
        var y = is_grad_enabled() && (x.requires_grad || weight.requires_grad)
            ? Unfolded.apply([x, weight, stride, padding])
            : Product(Columns(x, weight, stride, padding), weight.flatten(1));       // [batch, outputs, places]
        if (bias is not null) y = y + bias.unsqueeze(-1);
        return lines ? y : y.reshape(y.size(0), y.size(1), Places(x.size(2), size, stride, padding), Places(x.size(3), size, stride, padding));
    }

    /// <summary>What a square kernel sees at each place: [batch, channels, height, width] to [batch, places, channels · size · size], row by row.</summary>
    /// <param name="x">The pictures.</param>
    /// <param name="size">The kernel's side.</param>
    /// <param name="stride">From one place to the next.</param>
    /// <param name="padding">Zeros at each side.</param>
    public static Tensor Patches(Tensor x, long size, long stride, long padding)
    {
        ArgumentNullException.ThrowIfNull(x);
        return unfold(x, size, padding: padding, stride: stride).transpose(1, 2);
    }

    /// <summary>What the kernel sees at each place: [batch, inputs * size (* size), places].</summary>
    private static Tensor Columns(Tensor x, Tensor weight, long stride, long padding) => weight.dim() == 3
        ? unfold(x.unsqueeze(2), (1, weight.size(-1)), padding: (0, padding), stride: (1, stride))
        : unfold(x, weight.size(-1), padding: padding, stride: stride);

    /// <param name="columns">[batch, inputs * size (* size), places].</param>
    /// <param name="rows">[outputs, inputs * size (* size)].</param>
    /// <returns>[batch, outputs, places].</returns>
    private static Tensor Product(Tensor columns, Tensor rows) => IsOneProduct(columns, rows)
        ? linear(columns.transpose(1, 2), rows).transpose(1, 2)
        : bmm(rows.expand(columns.size(0), -1, -1), columns);

    // A product for each picture leaves everything where it is, but also gives each a gradient of the weight: that pays where places are many.
    private static bool IsOneProduct(Tensor places, Tensor rows) => places.size(2) < rows.size(0);

    private static long Places(long length, long size, long stride, long padding) => (length + 2 * padding - size) / stride + 1;

    /// <summary>
    /// The product with the columns, which are as many times the picture as the kernel has places: they are made again for the backward pass, and not
    /// kept until then.
    /// </summary>
    private sealed class Unfolded : GuardedFunction<Unfolded>
    {
        private const string Settings = nameof(Settings);

        public override string Name => nameof(Convolution);

        protected override Tensor Forward(autograd.AutogradContext context, object[] inputs)
        {
            var (x, weight, stride, padding) = ((Tensor)inputs[0], (Tensor)inputs[1], (long)inputs[2], (long)inputs[3]);
            context.save_for_backward([x, weight]);
            context.save_data(Settings, (stride, padding, x.requires_grad));
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            return Product(Columns(x, weight, stride, padding), weight.flatten(1)).MoveToOuterDisposeScope();
        }

        protected override List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient)
        {
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            var (saved, (stride, padding, asked)) = (context.get_saved_variables(), ((long, long, bool))context.get_data(Settings));
            var (x, weight) = (saved[0], saved[1]);
            var (columns, rows) = (Columns(x, weight, stride, padding), weight.flatten(1));
            var dw = IsOneProduct(columns, rows)
                ? gradient.transpose(1, 2).flatten(0, 1).t().mm(columns.transpose(1, 2).flatten(0, 1))
                : bmm(gradient, columns.transpose(1, 2)).sum(dim: 0);
            columns.Dispose();
            var dx = asked ? Folded(ColumnGradient(gradient, rows), x, weight, stride, padding) : null;
            return [dx?.MoveToOuterDisposeScope(), dw.reshape(weight.shape).MoveToOuterDisposeScope(), null, null];
        }

        private static Tensor ColumnGradient(Tensor gradient, Tensor rows) => IsOneProduct(gradient, rows)
            ? gradient.transpose(1, 2).matmul(rows).transpose(1, 2)
            : bmm(rows.t().expand(gradient.size(0), -1, -1), gradient);

        // Each value has been read at several places: their gradients are added.
        private static Tensor Folded(Tensor columns, Tensor x, Tensor weight, long stride, long padding) => weight.dim() == 3
            ? fold(columns, (1, x.size(2)), (1, weight.size(-1)), padding: (0, padding), stride: (1, stride)).squeeze(2)
            : fold(columns, (x.size(2), x.size(3)), (weight.size(-1), weight.size(-1)), padding: (padding, padding), stride: (stride, stride));
    }
}
