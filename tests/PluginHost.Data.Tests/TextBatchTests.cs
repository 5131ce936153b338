using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public class TextBatchTests
{
    private const long None = TextBatch.Ignore;

    private static long[] Row(TorchSharp.torch.Tensor tensor, int row) => tensor[row].to(TorchSharp.torch.int64).data<long>().ToArray();

    private static long Id(char letter) => letter + ByteTokenizer.First;

    [Fact]
    public void Turn_WithPictureAndSound_IsLaidOutAsSpecified()
    {
        var sample = Make.Sample("1", new Turn("q", "pp", "a", "image")) with { Audio = Make.Sound() };
        using var batch = Make.Dataset(new ListSource()).CollateTurns([sample], [], 1, 0);
        // <bos> <image> <audio> p p <answer> a <eos>
        Assert.Equal([1, 4, 5, Id('p'), Id('p'), 3, Id('a'), 2], Row(batch.Text!.Ids, 0));
        Assert.Equal([None, None, None, None, None, Id('a'), 2, None], Row(batch.Text.Targets, 0));
        Assert.Equal([0f, 0, 0, 0, 0, 1, 1, 0], batch.Text.Weights[0].data<float>().ToArray());
        Assert.Equal([1L, 1, 1, 1, 1, 1, 1, 1], Row(batch.Text.Segments, 0));
        Assert.Equal([0L, 1, 2, 3, 4, 5, 6, 7], Row(batch.Text.Positions, 0));
        Assert.False(batch.Text.Packed);
        Assert.False(batch.Text.Padded);
    }

    [Fact]
    public void Turn_OfATokenizerWithChatTemplate_IsWrittenByIt()
    {
        var sample = Make.Sample("1", new Turn("q", "pp", "a", "image") { Media = [new MediaPlace(1, "image")] }) with { Audio = Make.Sound() };
        var data = Make.Dataset(new ListSource());
        data.Tokenizer = new ChatByteTokenizer(new ByteTokenizer());
        using var batch = data.CollateTurns([sample], [], 1, 0);
        // U <audio> p <image> p A a <eos>: the picture where the turn places it
        Assert.Equal([Id('U'), 5, Id('p'), 4, Id('p'), Id('A'), Id('a'), 2], Row(batch.Text!.Ids, 0));
        Assert.Equal([None, None, None, None, None, Id('a'), 2, None], Row(batch.Text.Targets, 0));
        Assert.Equal([Id('U'), 5, Id('p'), 4, Id('p'), Id('A')], data.EncodePrompt(sample, sample.Turns[0]).Select(id => (long)id));
    }

    [Fact]
    public void TurnOfAChatTemplate_ThatIsTooLong_LosesWordsOfThePromptAndNothingOfTheTemplate()
    {
        var log = new RejectionLog();
        var data = Make.Dataset(new ListSource(), log: log);
        data.Tokenizer = new ChatByteTokenizer(new ByteTokenizer());
        using var batch = data.CollateTurns([Make.Sample("1", new Turn("q", new string('p', 500), new string('a', 500)))], [], 1, 0);
        var ids = Row(batch.Text!.Ids, 0);
        Assert.InRange(ids.Length, 60, 64);
        Assert.Equal((1, 1, 1), (ids.Count(id => id == Id('U')), ids.Count(id => id == Id('A')), ids.Count(id => id == 4)));
        Assert.True(ids.Count(id => id == Id('p')) > 20 && ids.Count(id => id == Id('a')) > 20);
        Assert.NotEmpty(log.Entries);
    }

    [Fact]
    public void Rows_OfSeveralTurns_RestartPositionsAndArePadded()
    {
        Sample[] samples = [Make.Sample("1", new Turn("q", "p", "a"), new Turn("r", "p", "b")) with { Image = null }, Make.Sample("2", new Turn("q", "p", "a")) with { Image = null }];
        using var batch = Make.Dataset(new ListSource()).CollateTurns(samples, [], 2, 0);
        Assert.Equal(Make.Padded(0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2), Row(batch.Text!.Segments, 0));
        Assert.Equal(Make.Padded(0, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4), Row(batch.Text.Positions, 0));
        Assert.Equal(None, Row(batch.Text.Targets, 0)[4]); // <eos> does not predict the next segment
        Assert.Equal([1L, 1, 1, 1, 1, .. new long[11]], Row(batch.Text.Segments, 1));
        Assert.Equal([1L, 1, 1, 1, 1, .. new long[11]], Row(batch.Text.Mask, 1));
        Assert.All(Row(batch.Text.Ids, 1)[5..], id => Assert.Equal(0, id));
        Assert.All(Row(batch.Text.Targets, 1)[5..], target => Assert.Equal(None, target));
        Assert.True(batch.Text.Packed);
        Assert.True(batch.Text.Padded);
    }

    [Fact]
    public void Weights_AreThoseOfTheTextAndOfWhatTheTurnNeeds()
    {
        var weights = new Dictionary<string, double> { ["text"] = 0.5, ["image"] = 4, ["audio"] = 100 };
        var sample = Make.Sample("1", new Turn("q", "p", "a", "image")) with { ModalityWeights = weights };
        using var batch = Make.Dataset(new ListSource()).CollateTurns([sample], [], 1, 0);
        Assert.Equal([0f, 0, 0, 2, 2, 0, 0, 0], batch.Text!.Weights[0].data<float>().ToArray());
    }

    [Fact]
    public void Turns_ThatDoNotFit_AreDroppedWhole()
    {
        var turns = Enumerable.Range(0, 6).Select(i => new Turn("q", new string('p', 20), "a")).ToArray();
        var log = new RejectionLog();
        using var batch = Make.Dataset(new ListSource(), log: log).CollateTurns([Make.Sample("1", turns)], [], 6, 0);
        // Each takes 25 of 64 tokens.
        Assert.Equal(50, batch.Text!.Mask.sum().item<long>());
        Assert.Equal(56, batch.Text!.Ids.shape[1]);
        Assert.Equal(2, Row(batch.Text.Segments, 0).Max());
        Assert.Empty(log.Entries);
    }

    [Fact]
    public void SingleTurn_ThatIsTooLong_IsCutAndNoted_ButKeepsItsPicture()
    {
        var log = new RejectionLog();
        var data = Make.Dataset(new ListSource(), log: log);
        using var batch = data.CollateTurns([Make.Sample("1", new Turn("q", new string('p', 500), new string('a', 500)))], [], 1, 0);
        var ids = Row(batch.Text!.Ids, 0);
        Assert.InRange(ids.Length, 60, 64);
        Assert.Equal(1, ids.Count(id => id == 4));
        Assert.DoesNotContain(2L, ids); // the answer does not end where it is cut
        Assert.Contains(Id('a'), ids);
        Assert.Equal([new Rejection("1", "cut to 64 tokens (data.text.length)")], log.Entries);
    }

    [Fact]
    public void CaptionOf100000Characters_IsCutAndNoted()
    {
        var log = new RejectionLog();
        var sample = Make.Sample("1") with { Texts = new Dictionary<string, string> { ["en"] = new('x', 100_000) } };
        using var batch = Make.Dataset(new ListSource(), log: log).CollateCaptions([sample], "en");
        Assert.Equal(64, batch.Caption!.Ids.shape[1]);
        Assert.Equal(2, Row(batch.Caption.Ids, 0)[^1]);
        Assert.Contains("cut to 64 tokens", Assert.Single(log.Entries).Reason);
    }

    [Fact]
    public void TokenizerThatBelievesText_IsCaught_WithTheSample()
    {
        var data = Make.Dataset(new ListSource(), tokenizer: new ByteTokenizer { BelievesText = true });
        var error = Assert.Throws<InvalidOperationException>(() => data.CollateTurns([Make.Sample("sly", new Turn("q", "<image>", "a"))], [], 1, 0));
        Assert.Contains("'sly' has 1 pictures, but its text holds 2 '<image>'", error.Message);
    }

    [Fact]
    public void Captions_FallBackToTheFirstOtherLanguage()
    {
        Sample[] samples = [Make.Sample("1"), Make.Sample("1") with { Texts = new Dictionary<string, string> { ["fr"] = "f", ["de"] = "d" } }, Make.Sample("3") with { Texts = new Dictionary<string, string>() }];
        using var batch = Make.Dataset(new ListSource()).CollateCaptions(samples, "zh");
        var tokenizer = new ByteTokenizer();
        Assert.Equal(["猫", "d", ""], Enumerable.Range(0, 3).Select(row => tokenizer.Decode([.. Row(batch.Caption!.Ids, row).Select(id => (int)id)])));
        Assert.Equal([1L, 2], Row(batch.Caption!.Ids, 2)[..2]);
        Assert.Null(batch.Text);
    }

    [Fact]
    public void Prompts_OfOneLength_AreUnpaddedAndWithoutTargets()
    {
        var data = Make.Dataset(new ListSource());
        var sample = Make.Sample("1");
        var prompt = data.EncodePrompt(sample, "hi");
        Assert.Equal([1, 4, (int)Id('h'), (int)Id('i'), 3], prompt);
        using var batch = data.CollatePrompts([(sample, prompt), (sample, prompt)]);
        Assert.Equal([2L, 5], batch.Text!.Ids.shape);
        Assert.All(Row(batch.Text.Targets, 1), target => Assert.Equal(None, target));
        Assert.False(batch.Text.Padded || batch.Text.Packed);
        Assert.Throws<ArgumentException>(() => data.CollatePrompts([(sample, prompt), (sample, [1])]));
    }

    [Fact]
    public void PromptThatIsTooLong_KeepsItsFrame()
    {
        var prompt = Make.Dataset(new ListSource()).EncodePrompt(Make.Sample("1"), new string('x', 100_000));
        Assert.Equal((64, 1, 4, 3), (prompt.Count, prompt[0], prompt[1], prompt[^1]));
    }
}
