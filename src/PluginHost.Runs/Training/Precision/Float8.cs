using static TorchSharp.torch;

namespace PluginHost.Runs.Training.Precision;

/// <summary>
/// An 8-bit floating-point format (Micikevicius et al. 2022, "FP8 formats for deep learning"), emulated in fp32: values are rounded to those
/// that the format has, halves to the even one; what is larger than its largest number becomes that.
/// </summary>
/// <param name="ExponentBits">Bits of the exponent.</param>
/// <param name="MantissaBits">Bits of the mantissa.</param>
/// <param name="Bias">What is subtracted from the stored exponent.</param>
/// <param name="Largest">The largest number.</param>
internal sealed record Float8(int ExponentBits, int MantissaBits, int Bias, double Largest)
{
    /// <summary>E4M3: no infinity, one NaN. For what flows forward.</summary>
    public static Float8 E4M3 { get; } = new(4, 3, 7, 448);

    /// <summary>E5M2: an IEEE format with infinities. For gradients, whose range is wide.</summary>
    public static Float8 E5M2 { get; } = new(5, 2, 15, 57344);

    private double SmallestNormal => Math.ScaleB(1, 1 - Bias);

    /// <summary>The value of a code; NaN and infinity where the format has them.</summary>
    public double Decode(byte code)
    {
        var sign = (code & 0x80) == 0 ? 1.0 : -1.0;
        var exponent = (code >> MantissaBits) & ((1 << ExponentBits) - 1);
        var mantissa = code & ((1 << MantissaBits) - 1);
        var value = exponent == 0
            ? Math.ScaleB(mantissa, 1 - Bias - MantissaBits)
            : Math.ScaleB(1 + Math.ScaleB(mantissa, -MantissaBits), exponent - Bias);
        if (value <= Largest) return sign * value;
        // Beyond the largest number: E5M2 has infinity there, and then NaNs; E4M3 has NaN alone.
        return ExponentBits == 5 && mantissa == 0 ? sign * double.PositiveInfinity : double.NaN;
    }

    /// <summary>The nearest values of the format, as fp32; NaN stays NaN.</summary>
    public Tensor Round(Tensor x)
    {
        using var scope = NewDisposeScope();
        var clamped = x.clamp(-Largest, Largest);
        // The distance between neighbours is a power of two, constant below the smallest normal number: x / mantissa is exact, and
        // twice the power of two below x.
        var size = clamped.abs().clamp_min(SmallestNormal);
        var step = size / frexp(size).Mantissa * Math.ScaleB(1, -MantissaBits - 1);
        return ((clamped / step).round() * step).MoveToOuterDisposeScope();
    }
}
