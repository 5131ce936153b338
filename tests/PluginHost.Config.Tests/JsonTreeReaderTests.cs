using System.Text;
using CsCheck;
using PluginHost.Config.Json;

namespace PluginHost.Config.Tests;

public class JsonTreeReaderTests
{
    private static JsonElementNode Read(string json) => JsonTreeReader.Read(Encoding.UTF8.GetBytes(json), "f.json");

    private static string ErrorOf(byte[] json) => Assert.Throws<ConfigException>(() => JsonTreeReader.Read(json, "f.json")).Message;

    [Fact]
    public void Read_Locations_AreLinesAndCharacters()
    {
        var root = Read("{\n  \"é中\": [1,\n 2]\n}");

        Assert.Equal(new JsonLocation("f.json", 2, 3, "$.é中"), root.Members[0].NameLocation);
        Assert.Equal(new JsonLocation("f.json", 2, 10, "$.é中[0]"), root.Members[0].Value.Items[0].Location);
        Assert.Equal(new JsonLocation("f.json", 3, 2, "$.é中[1]"), root.Members[0].Value.Items[1].Location);
    }

    [Fact]
    public void Read_ByteOrderMarkAndComments_AreSkipped() =>
        Assert.Equal("1", JsonTreeReader.Read([0xEF, 0xBB, 0xBF, .. "/* a */ { \"a\": 1, }"u8], "f.json").Find("a")!.Text);

    [Theory]
    [InlineData("", "f.json(1,1): $: not valid JSON: ")]
    [InlineData("{\n  \"a\": tru\n}", "f.json(2,11): $: not valid JSON: ")]
    [InlineData("{} {}", "f.json(1,4): $: not valid JSON: ")]
    [InlineData("{ \"a\": \"\\ud800\" }", "f.json(1,8): $: not valid JSON: the text is not valid UTF-8")]
    [InlineData("{ \"a\": 1,\n\"a\": 2 }", "f.json(2,1): $.a: 'a' is given twice; the first is at line 1")]
    public void Read_Broken_SaysWhere(string json, string start) => Assert.StartsWith(start, ErrorOf(Encoding.UTF8.GetBytes(json)), StringComparison.Ordinal);

    [Fact]
    public void Read_InvalidUtf8_IsAConfigError() => Assert.StartsWith("f.json(1,", ErrorOf([(byte)'"', 0xC3, 0x28, (byte)'"']), StringComparison.Ordinal);

    [Fact]
    public void Read_DeepNesting_IsRefused() => Assert.Contains("not valid JSON", ErrorOf(Encoding.UTF8.GetBytes(new string('[', 100_000))), StringComparison.Ordinal);

    [Fact]
    public void Read_OneLongLine_TakesTimeThatGrowsWithItsLength()
    {
        var root = Read($"[{string.Concat(Enumerable.Repeat("1,", 400_000))}\n \"é\", 2]");

        Assert.Equal(new JsonLocation("f.json", 1, 800_000, "$[399999]"), root.Items[399_999].Location);
        Assert.Equal(new JsonLocation("f.json", 2, 7, "$[400001]"), root.Items[400_001].Location);
    }

    [Fact]
    public void Read_MoreValuesThanProgramsMaySend_IsRefusedOnlyWhenStrict()
    {
        var many = Encoding.UTF8.GetBytes($"[{string.Concat(Enumerable.Repeat("1,", JsonTreeReader.MostValues))}1]");

        Assert.Contains("more than 1000000 values", Assert.Throws<ConfigException>(() => JsonTreeReader.Read(many, "body", strict: true)).Message, StringComparison.Ordinal);
        Assert.Equal(JsonTreeReader.MostValues + 1, JsonTreeReader.Read(many, "f.json").Items.Count);
    }

    [Theory]
    [InlineData("3", true, 3)]
    [InlineData("3.0", true, 3)]
    [InlineData("3e2", true, 300)]
    [InlineData("3.5", false, 0)]
    [InlineData("9223372036854775807", true, long.MaxValue)]
    [InlineData("92233720368547758070", false, 0)]
    [InlineData("\"3\"", false, 0)]
    public void TryGetInt64_Number_IsExact(string json, bool whole, long value)
    {
        Assert.Equal(whole, Read(json).TryGetInt64(out var number));
        if (whole) Assert.Equal(value, number);
    }

    [Fact]
    public void ToJsonString_ReadAgain_IsTheSame()
    {
        var text = Read("""{ "b": [1.50, true, null, "é\n\"中"], "a": { } }""").ToJsonString();

        Assert.Equal(text, Read(text).ToJsonString());
        Assert.Contains("1.50", text, StringComparison.Ordinal);
        Assert.Contains("中", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AnyBytes_GivesATreeOrAConfigException() => Gen.OneOf(Gen.Byte.Array[0, 60], Gen.Char["{}[]\",:0-9eE.+tfn \n\\u/*é"].Array[0, 60].Select(text => Encoding.UTF8.GetBytes(text))).Sample(bytes =>
    {
        try
        {
            var tree = JsonTreeReader.Read(bytes, "f.json");
            Assert.Equal(tree.ToJsonString(), Read(tree.ToJsonString()).ToJsonString());
        }
        catch (ConfigException)
        {
        }
    });
}
