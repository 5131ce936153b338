using PluginHost.Sdk;
using Tool.Wasm;

namespace Plugins.Tools.Tests;

public sealed class WasmTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasm").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    private static string Functions => Path.Combine(AppContext.BaseDirectory, "Wasm", "functions.wat");

    private async Task<string> CallAsync(string function, object arguments, Func<WasmOptions, WasmOptions>? change = null)
    {
        var options = new WasmOptions(Functions, function, Fuel: 1_000_000_000_000);
        using var tool = new WasmTool(change?.Invoke(options) ?? options);
        return await ToolCalls.Open(tool, folder).CallAsync(function, arguments);
    }

    private async Task FailsAsync(string why, string function, object arguments, Func<WasmOptions, WasmOptions>? change = null) =>
        Assert.Contains(why, (await Assert.ThrowsAsync<UserErrorException>(() => CallAsync(function, arguments, change))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Call_Numbers_AreComputed()
    {
        Assert.Equal("5000000000", await CallAsync("add", new { a = 2_000_000_000L, b = 3_000_000_000L }));
        Assert.Equal("1.25", await CallAsync("half", new { a = 2.5 }));
        Assert.Equal("7", await CallAsync("divide", new { all = 21, parts = 3 }, options => options with { Arguments = ["all", "parts"] }));
    }

    [Fact]
    public async Task Call_AText_GivesOne() => Assert.Equal("HéLLO", await CallAsync("shout", new { input = "héllo" }));

    [Fact]
    public Task Call_WithoutEnd_StopsByItsFuel() => FailsAsync("100000 instructions", "spin", new { }, options => options with { Fuel = 100_000, Milliseconds = 600_000 });

    [Fact]
    public Task Call_WithoutEnd_StopsByItsTime() => FailsAsync("more than 50 ms", "spin", new { }, options => options with { Milliseconds = 50 });

    [Fact]
    public async Task Call_ForMuchMemory_GetsNone() => Assert.Equal("-1", await CallAsync("grow", new { }));

    [Fact]
    public Task Call_ThatCallsItself_StopsByItsDepth() => FailsAsync("too deep", "deep", new { });

    [Fact]
    public Task Call_ThatTraps_SaysHow() => FailsAsync("IntegerDivisionByZero", "divide", new { a = 1, b = 0 });

    [Fact]
    public Task Call_ThatLiesAboutItsMemory_IsFoundOut() => FailsAsync("outside of its memory", "lie", new { input = "a" });

    [Fact]
    public Task Call_ANumberThatDoesNotFit_IsRefused() => FailsAsync("no whole number of 32 bits", "divide", new { a = 3_000_000_000L, b = 1 });

    [Theory]
    [InlineData("(module (import \"env\" \"open\" (func)) (func (export \"run\")))", "imports 'env.open'")]
    [InlineData("(module (func (export \"go\")))", "exports no function 'run'; it exports go")]
    [InlineData("(module (func (export \"run\") (param externref)))", "something else than numbers")]
    [InlineData("(module", "is no module")]
    public void Open_AModuleThatCannotBeUsed_SaysWhy(string text, string why)
    {
        File.WriteAllText(Path.Combine(folder, "m.wat"), text);
        using var tool = new WasmTool(new WasmOptions("m.wat"));
        Assert.Contains(why, Assert.Throws<UserErrorException>(() => ToolCalls.Open(tool, folder)).Message, StringComparison.Ordinal);
    }
}
