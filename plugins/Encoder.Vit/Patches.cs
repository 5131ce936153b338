using PluginHost.Sdk;
using PluginHost.Sdk.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Encoder.Vit;

/// <summary>Pictures [B, C, H, W] to a grid of vectors [B, width, H / patch, W / patch], with or without a stem.</summary>
internal sealed class Patches : nn.Module
{
    private readonly long size;
    private readonly ConvolutionNorm? fine;
    private readonly ConvolutionNorm? coarse;
    private readonly Parameter weight;
    private readonly Parameter bias;

    public Patches(VitOptions options, long channels, BuildContext context) : base(nameof(Patches))
    {
        size = options.Patch;
        if (options.Stem)
        {
            fine = new ConvolutionNorm(channels, options.StemWidth, 1, context);
            coarse = new ConvolutionNorm(options.StemWidth, 2 * options.StemWidth, 2, context);
            register_module(nameof(fine), fine);
            register_module(nameof(coarse), coarse);
            (channels, size) = (2 * options.StemWidth, size / 2);
        }
        weight = Initial.Normal(context, [options.Width, channels, size, size], Math.Sqrt(1.0 / (channels * size * size)));
        bias = Initial.Constant(context, [options.Width], 0);
        register_parameter(nameof(weight), weight);
        register_parameter(nameof(bias), bias);
    }

    public Tensor Forward(Tensor x)
    {
        if (fine is not null && coarse is not null) x = coarse.Forward(fine.Forward(x));
        return conv2d(x, weight, bias, strides: [size, size]);
    }
}

/// <summary>3×3 convolution, group normalisation (no statistics over the batch: an absent picture must not matter), GELU.</summary>
internal sealed class ConvolutionNorm : nn.Module
{
    private readonly long stride;
    private readonly long groups;
    private readonly Parameter kernel;
    private readonly Parameter weight;
    private readonly Parameter bias;

    public ConvolutionNorm(long inputs, long outputs, long stride, BuildContext context) : base(nameof(ConvolutionNorm))
    {
        this.stride = stride;
        groups = outputs % 4 == 0 ? 4 : 1;
        kernel = Initial.Normal(context, [outputs, inputs, 3, 3], Math.Sqrt(2.0 / (9 * inputs)));
        weight = Initial.Constant(context, [outputs], 1);
        bias = Initial.Constant(context, [outputs], 0);
        register_parameter(nameof(kernel), kernel);
        register_parameter(nameof(weight), weight);
        register_parameter(nameof(bias), bias);
    }

    public Tensor Forward(Tensor x) =>
        gelu(group_norm(conv2d(x, kernel, strides: [stride, stride], padding: [1, 1]), groups, weight, bias));
}
