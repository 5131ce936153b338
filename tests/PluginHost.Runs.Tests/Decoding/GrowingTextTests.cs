using CsCheck;
using PluginHost.Runs.Decoding;

namespace PluginHost.Runs.Tests.Decoding;

public class GrowingTextTests
{
    [Fact]
    public void Add_CodePointByteByByte_IsHeldBackUntilWhole()
    {
        var text = new GrowingText(new ByteTokenizer());

        Assert.Equal(["a", "", "", "€", "", "", "", "😀", "b"], ByteTokenizer.Ids("a€😀b").Select(text.Add));
        Assert.Equal("", text.Flush());
    }

    [Fact]
    public void Flush_IncompleteCodePoint_ComesAsReplacement()
    {
        var text = new GrowingText(new ByteTokenizer());

        Assert.Equal(["", ""], ByteTokenizer.Ids("€").Take(2).Select(text.Add));
        Assert.Equal("\uFFFD", text.Flush());
    }

    [Fact]
    public void Add_AnyTokens_PiecesAreTheWholeText() =>
        Gen.OneOf(Gen.Int[0, ByteTokenizer.Size - 1].Array[0, 80], Gen.String[Gen.Char['\u0001', '\u3000'], 0, 40].Select(ByteTokenizer.Ids)).Sample(ids =>
        {
            var text = new GrowingText(new ByteTokenizer());
            var pieces = string.Concat(ids.Select(text.Add)) + text.Flush();
            return pieces == new ByteTokenizer().Decode(ids);
        });
}
