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
        var patches = lines
            ? unfold(x.unsqueeze(2), (1, size), padding: (0, padding), stride: (1, stride))
            : unfold(x, size, padding: padding, stride: stride);                     // [batch, inputs * size (* size), places]
        var rows = weight.flatten(1);                                                // [outputs, inputs * size (* size)]
        // A product for each picture leaves everything where it is, but also gives each a gradient of the weight: that pays where places are many.
        var y = patches.size(2) < weight.size(0)
            ? linear(patches.transpose(1, 2), rows).transpose(1, 2)
            : bmm(rows.expand(x.size(0), -1, -1), patches);                          // [batch, outputs, places]
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

    private static long Places(long length, long size, long stride, long padding) => (length + 2 * padding - size) / stride + 1;
}
