using CsCheck;
using PluginHost.Catalog.Ports;

namespace PluginHost.Catalog.Tests;

public class PortTypeTests
{
    private sealed class Values(long? h = null, long patch = 4, params IBindings[] items) : IBindings
    {
        public IReadOnlyList<IBindings> Items => items;

        public long? Symbol(string name) => h;

        public long? Option(string name) => patch;
    }

    [Theory]
    [InlineData("1+2*3", 7)]
    [InlineData("(1+2)*3", 9)]
    [InlineData("32/4*32/4", 64)]
    [InlineData("10-3-2", 5)]
    [InlineData("H/{Patch}*W/{Patch}", 64)]
    [InlineData("100 - H", 68)]
    public void Evaluate_Arithmetic_HasTheUsualPrecedence(string text, long value) =>
        Assert.Equal(value, ExpressionParser.Parse(text, sums: false).Evaluate(new Values(32), exact: true));

    [Fact]
    public void Evaluate_UnknownSymbol_IsUnknown() => Assert.Null(ExpressionParser.Parse("2*N", sums: false).Evaluate(new Values(), exact: true));

    [Fact]
    public void Evaluate_Sum_AddsItsBodyUpOverItems() =>
        Assert.Equal(3 * 5 + 3 * 7 + 1, ExpressionParser.Parse("sum(D_i*3)+1", sums: true).Evaluate(new Values(null, 0, new Values(5), new Values(7)), exact: false));

    [Fact]
    public void Evaluate_Remainder_IsAMistakeOfDimensionsOnly()
    {
        var formula = ExpressionParser.Parse("30/{Patch}", sums: false);

        Assert.Equal(7, formula.Evaluate(new Values(), exact: false));
        Assert.Equal("30 / 4 leaves a remainder of 2", Assert.Throws<ArithmeticException>(() => formula.Evaluate(new Values(), exact: true)).Message);
        Assert.Throws<ArithmeticException>(() => formula.Evaluate(new Values(patch: 0), exact: false));
        Assert.ThrowsAny<ArithmeticException>(() => ExpressionParser.Parse("9223372036854775807*2", sums: false).Evaluate(new Values(), exact: true));
    }

    [Theory]
    [InlineData("seq[B,N]", "'seq[B,N]' has 2 dimensions, but seq has 3")]
    [InlineData("sequence[B,N,D]", "'sequence' is no structure of a port type")]
    [InlineData("f", "'f' is no port type")]
    [InlineData("f[B", "'f[B' is no port type")]
    [InlineData("f[B,]", "'' needs a number, a symbol, {Option} or '('")]
    [InlineData("f[B D]", "'B D' needs an operator or the end")]
    [InlineData("f[{Width]", "'{Width' needs '}'")]
    [InlineData("f[sum(D)]", "only sum(...) is a function, and only in costs")]
    [InlineData("f[99999999999999999999]", "is too large")]
    public void Parse_Mistake_SaysWhatIsWrong(string text, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => PortType.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_DeepNesting_IsRefused() =>
        Assert.Throws<FormatException>(() => ExpressionParser.Parse(new string('(', 900) + "1" + new string(')', 900), sums: false));

    [Fact]
    public void Parse_AnyText_GivesATypeOrAFormatException() => Gen.Char["fseqids[]{}(),+-*/ 019ABTN_i"].Array[0, 40].Sample(letters =>
    {
        try
        {
            PortType.Parse(new string(letters));
        }
        catch (FormatException)
        {
        }
    });

    [Fact]
    public void Parse_AnyFormula_GivesAValueOrAnArithmeticException() => Gen.Char["sum(){}+-*/ 019HW_i"].Array[0, 40].Sample(letters =>
    {
        try
        {
            ExpressionParser.Parse(new string(letters), sums: true).Evaluate(new Values(3), exact: true);
        }
        catch (Exception error) when (error is FormatException or ArithmeticException)
        {
        }
    });
}
