using PluginHost.Runs.Training.Precision;
using static TorchSharp.torch;

namespace PluginHost.Runs.Tests.Training;

public class Float8Tests
{
    // From the definition of the formats: sign, exponent, mantissa, and which codes are no numbers.
    private static double Value(int code, bool e4m3)
    {
        var (mantissaBits, bias, top) = e4m3 ? (3, 7, 15) : (2, 15, 31);
        var (exponent, mantissa) = ((code & 0x7F) >> mantissaBits, code & ((1 << mantissaBits) - 1));
        if (e4m3 && (code & 0x7F) == 0x7F) return double.NaN;
        if (!e4m3 && exponent == top) return mantissa > 0 ? double.NaN : code < 128 ? double.PositiveInfinity : double.NegativeInfinity;
        var size = exponent == 0 ? mantissa / Math.Pow(2, mantissaBits) * Math.Pow(2, 1 - bias) : (1 + mantissa / Math.Pow(2, mantissaBits)) * Math.Pow(2, exponent - bias);
        return code < 128 ? size : -size;
    }

    private static Float8 Format(bool e4m3) => e4m3 ? Float8.E4M3 : Float8.E5M2;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Decode_All256Codes_AreTheFormatsValues(bool e4m3) =>
        Assert.All(Enumerable.Range(0, 256), code => Assert.Equal(Value(code, e4m3), Format(e4m3).Decode((byte)code)));

    [Theory]
    [InlineData(true, 448, 0.001953125)]
    [InlineData(false, 57344, 1.52587890625e-5)]
    public void Decode_Extremes_AreThoseOfThePaper(bool e4m3, double largest, double smallest)
    {
        var finite = Enumerable.Range(0, 256).Select(code => Format(e4m3).Decode((byte)code)).Where(double.IsFinite).ToArray();
        Assert.Equal(largest, finite.Max());
        Assert.Equal(smallest, finite.Where(value => value > 0).Min());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Round_ValuesOfTheFormat_StayWhatTheyAre(bool e4m3)
    {
        var values = Finite(e4m3);
        Assert.Equal(values, Rounded(values, e4m3));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Round_BetweenTwoValues_GoesToTheNearerAndHalvesToTheEvenCode(bool e4m3)
    {
        var codes = Enumerable.Range(0, 128).Where(code => double.IsFinite(Value(code, e4m3))).ToArray();
        foreach (var (low, high) in codes.Zip(codes.Skip(1)))
        {
            var (a, b) = ((float)Value(low, e4m3), (float)Value(high, e4m3));
            var half = (a + b) / 2;
            var even = low % 2 == 0 ? a : b;
            Assert.Equal([a, even, b, -a, -even, -b], Rounded([MathF.BitDecrement(half), half, MathF.BitIncrement(half), -MathF.BitDecrement(half), -half, -MathF.BitIncrement(half)], e4m3));
        }
    }

    [Theory]
    [InlineData(true, 448)]
    [InlineData(false, 57344)]
    public void Round_TooLarge_IsTheLargest(bool e4m3, float largest) =>
        Assert.Equal([largest, -largest, largest], Rounded([largest * 1.5f, -1e30f, float.PositiveInfinity], e4m3));

    [Fact]
    public void Round_NaN_StaysNaN() => Assert.True(float.IsNaN(Rounded([float.NaN], true)[0]));

    [Theory]
    [InlineData(448, 1)]
    [InlineData(449, 0.5)]
    [InlineData(1, 256)]
    [InlineData(0, 1)]
    public void ScaleFor_LargestValue_BringsItJustBelowTheFormats(double largest, double scale) => Assert.Equal(scale, Float8Rounding.ScaleFor(largest, Float8.E4M3));

    private static float[] Finite(bool e4m3) => [.. Enumerable.Range(0, 256).Select(code => (float)Value(code, e4m3)).Where(float.IsFinite)];

    private static float[] Rounded(float[] values, bool e4m3)
    {
        using var scope = NewDisposeScope();
        return Format(e4m3).Round(tensor(values)).data<float>().ToArray();
    }

    [Fact]
    public void Forward_LaterStep_IsScaledByTheLargestOfTheStepsBefore()
    {
        using var scope = NewDisposeScope();
        using var rounding = new Float8Rounding();
        float Through(float value) => rounding.Forward(tensor(new[] { value }), "map", TensorRole.Input).item<float>();

        Assert.Equal(96, Through(100));   // no history: by itself, in steps of 8 / 4
        rounding.Advance();
        Assert.Equal(112, Through(1000)); // scaled by 4, as 100 asks for: 448 / 4 is the largest
        rounding.Advance();
        Assert.Equal(1024, Through(1000)); // now 1000 is history
    }
}
