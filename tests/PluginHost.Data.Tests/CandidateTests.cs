using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public class CandidateTests
{
    private const long None = TextBatch.Ignore;

    private static readonly Sample[] Known =
    [
        Make.Sample("1", new Turn("q", "p", "a", "image"), new Turn("r", "p", "yes")), Make.Sample("2", new Turn("q", "p", "b", "image")),
        Make.Sample("3", new Turn("q", "p", "b", "image")), Make.Sample("4", new Turn("q", "p", "c", "image")),
    ];

    private static long[] Row(TorchSharp.torch.Tensor tensor) => tensor[0].to(TorchSharp.torch.int64).data<long>().ToArray();

    private static long Id(char letter) => letter + ByteTokenizer.First;

    [Fact]
    public void AnswersOf_Task_AreThoseOfTheTrainingSplitTheMostFrequentFirst()
    {
        using var data = Make.Dataset(new ListSource(Known));

        Assert.Equal(["b", "a", "c"], data.AnswersOf("q"));
        Assert.Empty(data.AnswersOf("unknown"));
    }

    [Fact]
    public void Turns_WithCandidates_AreSegmentsTheRightOneFirst()
    {
        using var data = Make.Dataset(new ListSource(Known));
        using var batch = data.CollateTurns([Make.Sample("5", new Turn("q", "p", "a", "image"))], [], 1, 0, candidates: 3);

        // <bos> <image> p <answer> a <eos>, then the same with b and c in some order.
        var ids = Row(batch.Candidates!.Ids);
        Assert.Equal([1, 4, Id('p'), 3, Id('a'), 2], ids[..6]);
        Assert.Equal([Id('b'), Id('c')], new[] { ids[10], ids[16] }.Order());
        Assert.Equal(Make.Padded(0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3), Row(batch.Candidates.Segments));
        Assert.Equal(Make.Padded(None, 1, None, None, None, None, None, 0, None, None, None, None, None, 0, None, None, None, None, None), Row(batch.Candidates.Targets));
        Assert.Equal(1, batch.Candidates.Weights.sum().item<float>());
        Assert.True(batch.Candidates.Packed);
    }

    [Fact]
    public void Turns_WhoseTaskHasOneAnswer_AreNoQuestions()
    {
        using var data = Make.Dataset(new ListSource(Known));
        using var batch = data.CollateTurns([Make.Sample("5", new Turn("r", "p", "yes"))], [], 1, 0, candidates: 3);

        Assert.Equal(0, batch.Candidates!.Weights.sum().item<float>());
        Assert.DoesNotContain(1L, Row(batch.Candidates.Targets));
    }

    [Fact]
    public void Turns_AlsoRightAnswers_AreNeverWrongOnes()
    {
        using var data = Make.Dataset(new ListSource(Known));
        for (var seed = 0; seed < 20; seed++)
        {
            using var batch = data.CollateTurns([Make.Sample("5", new Turn("q", "p", "a") { AlsoRight = ["b"] })], [], 1, seed, candidates: 3);
            Assert.DoesNotContain(Id('b'), Row(batch.Candidates!.Ids));
        }
    }

    [Fact]
    public void Turns_WithoutMedia_AreBegunWithABlankAsPairsAre()
    {
        using var data = Make.Dataset(new ListSource(Known));
        using var batch = data.CollateTurns([new Sample("5") { Turns = [new Turn("q", "p", "a")] }], [], 1, 0, candidates: 2);
        using var ranked = data.CollateCandidates([(new Sample("5"), new Turn("", "p", ""), ["a"])]);

        // <bos> blank p <answer> blank a <eos>
        long[] expected = [1, Id(' '), Id('p'), 3, Id(' '), Id('a'), 2];
        Assert.Equal(expected, Row(batch.Candidates!.Ids)[..7]);
        Assert.Equal(expected, Row(ranked.Candidates!.Ids)[..7]);
    }

    [Fact]
    public void Turns_NoCandidatesWanted_MakesNone()
    {
        using var data = Make.Dataset(new ListSource(Known));
        using var batch = data.CollateTurns([Known[0]], [], 1, 0);

        Assert.Null(batch.Candidates);
    }

    [Fact]
    public void CollateCandidates_Question_HasASegmentForEachAnswer()
    {
        using var data = Make.Dataset(new ListSource(Known));
        using var batch = data.CollateCandidates([(Known[0], new Turn("", "p", ""), ["a", "bb"])]);

        Assert.Equal(Make.Padded(0, 1, 4, Id('p'), 3, Id('a'), 2, 1, 4, Id('p'), 3, Id('b'), Id('b'), 2), Row(batch.Candidates!.Ids));
        Assert.Equal([0L, 0], Row(batch.Candidates.Targets).Where(target => target != None));
        Assert.NotNull(batch.Image);
    }
}
