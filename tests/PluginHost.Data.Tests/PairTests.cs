using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Data.Tests;

public class PairTests
{
    private static Dataset Data(params Sample[] samples) => new(Make.Config, new ListSource(samples), [], new RejectionLog(), CPU) { Tokenizer = new ByteTokenizer(), Pairs = true };

    private static string Text(TextBatch batch, int row)
    {
        using var ids = batch.Ids[row];
        using var mask = batch.Mask[row];
        return new ByteTokenizer().Decode([.. ids.data<long>().ToArray().Zip(mask.data<bool>().ToArray()).Where(item => item.Second).Select(item => (int)item.First)]);
    }

    [Fact]
    public void Turns_WithPairs_AreQueryPassageAndAWrongAnswer()
    {
        using var data = Data();
        using var batch = data.CollateTurns([new Sample("1") { Turns = [new Turn("q", "who", "me") { Wrong = ["you"] }] }, new Sample("2") { Turns = [new Turn("q", "what", "that")] }], [], 1, 0);

        // A blank before each, so that its first word is the token that it is in the middle.
        Assert.Equal([" who", " what"], [Text(batch.Query!, 0), Text(batch.Query!, 1)]);
        Assert.Equal([" me", " that"], [Text(batch.Passage!, 0), Text(batch.Passage!, 1)]);
        Assert.Equal([" you", ""], [Text(batch.Negative!, 0), Text(batch.Negative!, 1)]);
        Assert.Equal(2, batch.Text!.Ids.size(0)); // each sample has a row of its own
    }

    [Fact]
    public void Texts_AsPassages_LeaveTheOtherSidesEmpty()
    {
        using var data = Data();
        using var batch = data.CollatePairs(["one", ""], passages: true);

        Assert.Equal([" one", ""], [Text(batch.Passage!, 0), Text(batch.Passage!, 1)]);
        Assert.False(batch.Query!.Mask.any().ToBoolean());
        Assert.False(batch.Negative!.Mask.any().ToBoolean());
    }

    [Fact]
    public void Turns_WithoutPairs_HaveNone()
    {
        using var data = Make.Dataset(new ListSource());
        using var batch = data.CollateTurns([Make.Sample("1")], [], 1, 0);

        Assert.Null(batch.Query);
        Assert.Null(batch.Negative);
    }

    [Fact]
    public void Candidates_OfATurnWithWrongAnswers_TakeThoseBeforeOthers()
    {
        using var data = Make.Dataset(new ListSource(Make.Sample("1", new Turn("q", "p", "x", "image"))));
        using var batch = data.CollateTurns([Make.Sample("2", new Turn("q", "p", "a", "image") { Wrong = ["w"] })], [], 1, 0, candidates: 2);

        var ids = batch.Candidates!.Ids[0].data<long>().ToArray();
        Assert.Contains('w' + ByteTokenizer.First, ids);
        Assert.DoesNotContain('x' + ByteTokenizer.First, ids);
    }
}
