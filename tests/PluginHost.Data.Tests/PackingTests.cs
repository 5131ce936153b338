using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public class PackingTests
{
    private static Sample Told(string id, params IReadOnlyList<string> answers) =>
        new(id) { Turns = [.. answers.Select(answer => new Turn("q", "p", answer))] };

    private static long[] Row(TorchSharp.torch.Tensor tensor, int row) => tensor[row].to(TorchSharp.torch.int64).data<long>().ToArray();

    private static Batch Collate(bool captions, params Sample[] samples)
    {
        using var data = new Dataset(Make.Config, new ListSource(), [], new RejectionLog(), TorchSharp.torch.CPU) { Tokenizer = new ByteTokenizer(), Captions = captions };
        return data.CollateTurns(samples, [], 4, 0);
    }

    [Fact]
    public void TextSamples_ShareARow_AndTokensKnowTheirSegment()
    {
        using var batch = Collate(true, Told("1", "a"), Told("2", "bb"), Told("3", "c", "d"));
        Assert.Equal([1L, 5 + 6 + 10 + 3], batch.Text!.Ids.shape);
        Assert.Equal(Make.Padded(0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4), Row(batch.Text.Segments, 0));
        Assert.Equal(Make.Padded(0, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4), Row(batch.Text.Positions, 0));
        Assert.Equal(["1", "2", "3"], batch.Samples.Select(sample => sample.Id));
        Assert.True(batch.Text.Packed);
    }

    [Fact]
    public void TextSamples_BeyondTheLength_BeginARow_AndNoTokenIsLost()
    {
        var samples = Enumerable.Range(0, 20).Select(i => Told($"{i}", new string((char)('a' + i), 3 * i))).ToArray();
        using var batch = Collate(true, samples);
        Assert.InRange(batch.Text!.Ids.shape[1], 1, 64);
        var targets = Enumerable.Range(0, (int)batch.Text.Ids.shape[0]).SelectMany(row => Row(batch.Text.Targets, row)).Where(target => target >= ByteTokenizer.First).ToArray();
        Assert.Equal(samples.Sum(sample => sample.Turns[0].Answer.Length), targets.Length);
        Assert.True(batch.Text.Ids.shape[0] < 20);
    }

    [Fact]
    public void PicturesSoundsAndTexts_InOneBatch_EachRowHasItsOwnMedium()
    {
        using var batch = Collate(true,
            Told("text", "a"), Make.Sample("seen"), Told("more text", "b"),
            Told("heard", "c") with { Audio = Make.Sound() }, Make.Sample("both") with { Audio = Make.Sound() });
        Assert.Equal(["seen", "heard", "both", "text", "more text"], batch.Samples.Select(sample => sample.Id));
        Assert.Equal([true, false, true, false], batch.Image!.Mask.data<bool>().ToArray());
        Assert.Equal([0L, 200, 200, 0], batch.Audio!.Mask.sum(1).data<long>().ToArray());
        Assert.Equal([4L, 64], [batch.Text!.Ids.shape[0], 64]);
        Assert.Equal(2, Row(batch.Text.Segments, 3).Max());
        Assert.Equal(4, batch.Caption!.Ids.shape[0]);
        // One placeholder for each medium of the row, and none in a row of texts.
        Assert.Equal([1, 0, 1, 0], Enumerable.Range(0, 4).Select(row => Row(batch.Text.Ids, row).Count(id => id == 4)));
        Assert.Equal([0, 1, 1, 0], Enumerable.Range(0, 4).Select(row => Row(batch.Text.Ids, row).Count(id => id == 5)));
    }

    [Fact]
    public void TextSamples_WithACaption_ShareARowOnlyWhereNobodyReadsIt()
    {
        Sample[] samples = [Told("1", "a") with { Texts = new Dictionary<string, string> { ["en"] = "x" } }, Told("2", "b") with { Texts = new Dictionary<string, string> { ["en"] = "y" } }];
        using var read = Collate(true, samples);
        using var unread = Collate(false, samples);
        Assert.Equal(2, read.Text!.Ids.shape[0]);
        Assert.Equal(1, unread.Text!.Ids.shape[0]);
        Assert.Null(unread.Caption);
    }
}
