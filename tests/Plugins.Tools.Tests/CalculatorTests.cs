using PluginHost.Sdk;
using Tool.Calculator;

namespace Plugins.Tools.Tests;

public class CalculatorTests
{
    [Theory]
    [InlineData("1+2*3", "7")]
    [InlineData("(1+2)*3", "9")]
    [InlineData("-2^2", "-4")]
    [InlineData("2^3^2", "512")]
    [InlineData("2^-1", "0.5")]
    [InlineData("7 % 4 - 1", "2")]
    [InlineData("0.1 + 0.2", "0.3")]
    [InlineData("1.5e3 + 1E-1", "1500.1")]
    [InlineData("sqrt(16) + max(1, 2, 3) - abs(-1)", "6")]
    [InlineData("round(2.5)", "3")]
    [InlineData("sin(pi / 2)", "1")]
    [InlineData(" ( 12 ) ", "12")]
    public async Task Evaluate_Expressions_GivesTheirValues(string expression, string value) =>
        Assert.Equal(value, await ToolCalls.Open(new CalculatorTool()).CallAsync("calculator", new { expression }));

    [Theory]
    [InlineData("1/0", "no finite value")]
    [InlineData("sqrt(-1)", "no finite value")]
    [InlineData("1 +", "a number is expected at character 4")]
    [InlineData("(1", "a closing bracket is expected at character 3")]
    [InlineData("1 2", "an operator or the end is expected at character 3")]
    [InlineData("sqr(2)", "'sqr' at 1 is not known")]
    [InlineData("sqrt(1, 2)", "sqrt takes one number, not 2")]
    public async Task Evaluate_WhatIsNone_SaysWhy(string expression, string why) =>
        Assert.Contains(why, (await Assert.ThrowsAsync<UserErrorException>(() => ToolCalls.Open(new CalculatorTool()).CallAsync("calculator", new { expression }))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Evaluate_AThousandBrackets_IsRefused()
    {
        var expression = new string('(', 500) + "1" + new string(')', 499);
        Assert.Contains("nested", (await Assert.ThrowsAsync<UserErrorException>(() => ToolCalls.Open(new CalculatorTool()).CallAsync("calculator", new { expression }))).Message, StringComparison.Ordinal);
    }
}
