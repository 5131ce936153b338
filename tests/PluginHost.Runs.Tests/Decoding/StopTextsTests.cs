using CsCheck;
using PluginHost.Runs.Decoding;

namespace PluginHost.Runs.Tests.Decoding;

public class StopTextsTests
{
    [Fact]
    public void Add_StopAcrossPieces_NothingOfItPasses()
    {
        var stops = new StopTexts(["###", "END"]);

        Assert.Equal(["one ", "", "EE ", "two"], new[] { "one ", "E", "E ", "twoE" }.Select(stops.Add));
        Assert.Equal("", stops.Add("N"));
        Assert.False(stops.Stopped);
        Assert.Equal("", stops.Add("D three"));
        Assert.True(stops.Stopped);
        Assert.Equal("", stops.Add("more") + stops.Flush());
    }

    [Fact]
    public void Add_NoStops_PassesAtOnce() => Assert.Equal("text", new StopTexts([]).Add("text"));

    [Fact]
    public void Flush_StopThatOnlyBegan_ComesOut()
    {
        var stops = new StopTexts(["stop"]);

        Assert.Equal("a ", stops.Add("a sto"));
        Assert.Equal("sto", stops.Flush());
    }

    [Fact]
    public void Add_AnyPieces_GiveTheTextUpToTheFirstStop() =>
        Gen.Select(Gen.String[Gen.Char['a', 'c'], 0, 4].Array[0, 12], Gen.String[Gen.Char['a', 'c'], 1, 4].Array[0, 3]).Sample((pieces, texts) =>
        {
            var stops = new StopTexts(texts);
            var passed = string.Concat(pieces.Select(stops.Add)) + stops.Flush();
            // Piece by piece, the earliest ending stop is met first; of those that end together, the one that begins first.
            var (whole, expected) = ("", (string?)null);
            foreach (var piece in pieces)
            {
                whole += piece;
                var at = texts.Select(text => whole.IndexOf(text, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(-1).Min();
                if (at >= 0) expected ??= whole[..at];
            }
            return passed == (expected ?? whole) && stops.Stopped == expected is not null;
        });
}
