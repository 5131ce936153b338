using Microsoft.Extensions.AI;
using PluginHost.Runs.Chat;
using PluginHost.Runs.Decoding;

namespace PluginHost.Runs.Tests.Chat;

public class GraphChatClientTests
{
    [Fact]
    public async Task Shown_PiecesWithoutText_OnlyTheFirstIsTold()
    {
        var shown = await ShownAsync(new DecodedPiece(" ", 1), new DecodedPiece("", 2), new DecodedPiece(" a", 3), new DecodedPiece("", 4), new DecodedPiece(" b", 5));

        Assert.Equal([(1, ""), (3, "a"), (5, " b")], shown);
    }

    [Fact]
    public async Task Shown_LogProbabilityWithoutText_IsTold()
    {
        var shown = await ShownAsync(new DecodedPiece("a", 1), new DecodedPiece("", 2, new TokenLogProbability(-1, [])));

        Assert.Equal([(1, "a"), (2, "")], shown);
    }

    private static async Task<List<(int?, string)>> ShownAsync(params DecodedPiece[] pieces)
    {
        var shown = new List<(int?, string)>();
        await foreach (var (piece, contents) in GraphChatClient.Shown(pieces.ToAsyncEnumerable(), null)) shown.Add((piece.Token, string.Concat(contents.OfType<TextContent>().Select(content => content.Text))));
        return shown;
    }
}
