using Microsoft.Extensions.AI;
using PluginHost.Retrieval.Documents;

namespace PluginHost.Retrieval.Tests.Documents;

public class ChunkerTests
{
    [Fact]
    public void Cut_ShortPassages_StayWholeWithTheirPlaces() =>
        Assert.Equal([new Passage("a", "one"), new Passage("b", "two")], new Chunker(100).Cut([new Passage("a", "one"), new Passage("b", " two\n"), new Passage("c", " ")]));

    [Fact]
    public void Cut_Picture_IsOneChunkWhateverItsName()
    {
        Passage[] pictures = [new("", "") { Picture = new DataContent(new byte[1], "image/png") }, new("", new string('x', 500)) { Picture = new DataContent(new byte[1], "image/png") }];

        Assert.Equal(pictures, new Chunker(100).Cut(pictures));
    }

    [Fact]
    public void Cut_LongText_EndsAtParagraphsBeforeSentences()
    {
        var chunks = new Chunker(40).Cut([new Passage("", "The first one is here. So is this one.\n\nAnd here is another one. The end.")]).Select(chunk => chunk.Text);

        Assert.Equal(["The first one is here. So is this one.", "And here is another one. The end."], chunks);
    }

    [Fact]
    public void Cut_LineOfTenMegabytes_GivesChunksOfTheWantedLengthThatLackNothing()
    {
        var line = string.Concat(Enumerable.Range(0, 1_000_000).Select(number => $"w{number} "));
        line += new string('x', 10_000_000 - line.Length);

        var chunks = new Chunker(1000).Cut([new Passage("", line)]).Select(chunk => chunk.Text).ToList();

        Assert.All(chunks, chunk => Assert.InRange(chunk.Length, 1, 1000));
        Assert.Equal(line.Replace(" ", "", StringComparison.Ordinal), string.Concat(chunks).Replace(" ", "", StringComparison.Ordinal));
        Assert.Contains("w999999", chunks.SelectMany(chunk => chunk.Split(' ')));
    }

    [Fact]
    public void Cut_BetweenSurrogates_DoesNotTearThem() =>
        Assert.All(new Chunker(17).Cut([new Passage("", string.Concat(Enumerable.Repeat("😀", 100)))]), chunk => Assert.Equal(0, chunk.Text.Length % 2));
}
