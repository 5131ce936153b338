using Microsoft.Extensions.Time.Testing;
using PluginHost.Runs.Decoding;
using PluginHost.Runs.Generation;

namespace PluginHost.Runs.Tests.Decoding;

/// <summary>The rounds of a schedule, one by one.</summary>
public class DecodeScheduleTests
{
    private readonly ByteTokenizer tokenizer = new();
    private readonly WaitingJobs waiting = new(100);

    [Fact]
    public void Turn_LongPromptBesideAnAnswer_TheAnswerGrowsEachTurn()
    {
        var engine = new FakeEngine(2) { Next = Script.Says(new string('x', 50)) };
        var schedule = new DecodeSchedule(engine, waiting);
        var answering = Start(2);
        schedule.Turn();
        var joining = Start(100);

        for (var turn = 1; turn <= 4; turn++)
        {
            schedule.Turn();
            Assert.Equal(2 + turn, answering.Pieces.Count);
        }

        Assert.Equal(
            ["begin 0", "prefill 0 2", "step 0", "begin 1", "prefill 1 32", "step 0", "prefill 1 32", "step 0", "prefill 1 32", "step 0", "prefill 1 4", "step 0,1"], engine.Calls);
        Assert.Equal(2, joining.Pieces.Count);
    }

    [Fact]
    public void Turn_ShortPromptBehindLongOne_DoesNotWaitForItsEnd()
    {
        var engine = new FakeEngine(3) { Next = Script.Says("xx") };
        var schedule = new DecodeSchedule(engine, waiting);
        var (first, second) = (Start(200), Start(10));

        schedule.Turn();
        schedule.Turn();

        Assert.Equal(0, first.Pieces.Count);
        Assert.Equal(2, second.Pieces.Count);
    }

    [Fact]
    public void Turn_PromptsTogether_AreCutAsAlone()
    {
        var engine = new FakeEngine(3) { Next = Script.Says("x") };
        var schedule = new DecodeSchedule(engine, waiting);
        foreach (var length in (int[])[70, 40, 9]) Start(length);

        for (var turn = 0; turn < 9; turn++) schedule.Turn();

        Assert.Equal(["prefill 0 32", "prefill 0 32", "prefill 0 6"], engine.Calls.Where(call => call.StartsWith("prefill 0", StringComparison.Ordinal)));
        Assert.Equal(["prefill 1 32", "prefill 1 8"], engine.Calls.Where(call => call.StartsWith("prefill 1", StringComparison.Ordinal)));
    }

    [Fact]
    public void Turn_ShortPromptsThatComeTogether_AreAllReadBeforeTheNextStep()
    {
        var engine = new FakeEngine(8) { Next = Script.Says("xx") };
        var schedule = new DecodeSchedule(engine, waiting);
        DecodeStream? late = null;
        engine.Calling = call => late ??= call.StartsWith("prefill 0", StringComparison.Ordinal) ? Start(20, 'q') : null; // comes while the first is being read

        DecodeStream[] early = [Start(20), Start(20, 'r'), Start(20, 's')];
        schedule.Turn();

        Assert.All([.. early, late!], stream => Assert.Equal(2, stream.Pieces.Count));
        Assert.Equal("step 0,1,2,3", engine.Calls[^1]);
    }

    [Fact]
    public void Turn_PromptsTogether_AreReadInTheOrderOfTheirComing()
    {
        var engine = new FakeEngine(3) { Next = Script.Says("x") };
        var schedule = new DecodeSchedule(engine, waiting);
        foreach (var letter in "abc") Finish(schedule, Start(20, letter));
        engine.Calls.Clear();

        Start(20, 'c'); // where it was: in the last slot
        Start(20, 'd');
        Start(20, 'e');
        schedule.Turn();

        Assert.Equal(["prefill 2 1", "prefill 0 20", "prefill 1 20"], engine.Calls.Where(call => call.StartsWith("prefill", StringComparison.Ordinal)));
    }

    [Fact]
    public void Turn_MoreOfPromptsThanATurnReads_TheRestIsReadInTheNext()
    {
        var engine = new FakeEngine(8) { Next = Script.Says("xx") };
        var schedule = new DecodeSchedule(engine, waiting);
        var streams = Enumerable.Range(0, 6).Select(i => Start(32, (char)('a' + i))).ToList();

        schedule.Turn();

        Assert.Equal(4, streams.Count(stream => stream.Pieces.Count > 0));
        Assert.Equal(DecodeSchedule.TurnChunk, schedule.Figures.PromptTokens);
        schedule.Turn();
        Assert.All(streams, stream => Assert.NotEqual(0, stream.Pieces.Count));
    }

    [Fact]
    public void Turn_MoreRequestsThanSlots_TheNextJoinsWhenOneLeaves()
    {
        var engine = new FakeEngine(2) { Next = Script.Says("abcdef") };
        var schedule = new DecodeSchedule(engine, waiting);
        var (shortest, longer, third) = (Start(2, tokens: 2), Start(2, tokens: 6), Start(2, tokens: 1));

        schedule.Turn(); // two tokens each: of the prompt, of a step
        Assert.Equal(new DecodeOutcome(FinishReason.Length, 2, 0, 2), Ended(shortest));
        Assert.Equal(1, schedule.Figures.Waiting);
        schedule.Turn();

        Assert.Equal(FinishReason.Length, Ended(third).Reason);
        Assert.False(longer.Outcome.IsCompleted);
        Assert.Equal((0, 1, 2L), (schedule.Figures.Waiting, schedule.Figures.Running, schedule.Figures.Ended));
    }

    [Fact]
    public void Turn_Cancelled_LeavesBeforeTheNextStep()
    {
        var engine = new FakeEngine(1) { Next = Script.Says(new string('x', 50)) };
        var schedule = new DecodeSchedule(engine, waiting);
        using var source = new CancellationTokenSource();
        var running = Start(2, cancellation: source.Token);
        schedule.Turn();
        var (behind, patient) = (Start(2, cancellation: source.Token), Start(2, 'q'));

        source.Cancel();
        schedule.Turn();

        Assert.Equal(new DecodeOutcome(FinishReason.Cancelled, 2, 0, 2), Ended(running));
        Assert.Equal(new DecodeOutcome(FinishReason.Cancelled, 2, 0, 0), Ended(behind));
        Assert.Equal(2, patient.Pieces.Count);
    }

    [Fact]
    public void Turn_PromptBeginsLikeAnIdleSlot_ReadsTheRestAlone()
    {
        var engine = new FakeEngine(2);
        var schedule = new DecodeSchedule(engine, waiting);
        var request = new DecodeRequest([.. Script.Prompt(40), .. Script.Prompt(5, 'r')], new Sampling(8, 1));
        Assert.Equal(3, EndOf(schedule, Start(new DecodeRequest(Script.Prompt(40), new Sampling(3, 1, Seed: 2)))).AnswerTokens);
        engine.Calls.Clear();

        var reusing = Start(request);
        Finish(schedule, reusing);

        Assert.Equal(["truncate 0 40", "prefill 0 5"], engine.Calls.Take(2));
        Assert.Equal(40, Ended(reusing).ReusedTokens);
        Assert.Equal(40, schedule.Figures.ReusedTokens);
        Assert.Equal(Alone(request), Ids(reusing));
    }

    [Fact]
    public void Turn_SamePromptAgain_ReadsItsLastTokenAndAnswersTheSame()
    {
        var engine = new FakeEngine(1);
        var schedule = new DecodeSchedule(engine, waiting);
        var request = new DecodeRequest(Script.Prompt(20), new Sampling(8, 1, Seed: 4));
        var first = Start(request);
        Finish(schedule, first);

        var second = Start(request);
        Finish(schedule, second);

        Assert.Equal(19, Ended(second).ReusedTokens);
        Assert.Equal(Ids(first), Ids(second));
    }

    [Fact]
    public void Turn_SameTokensUnderAnotherFusion_AreReadAgain()
    {
        var engine = new FakeEngine(1);
        var schedule = new DecodeSchedule(engine, waiting);
        var (picture, other) = (new FakeFusion(1), new FakeFusion(1));
        DecodeRequest Request(FakeFusion? context) => new(Script.Prompt(20), new Sampling(4, 1)) { Context = context };
        foreach (var (context, reused) in new[] { (picture, 0), (picture, 19), (other, 0), (null, 0), (null, 19) })
        {
            var stream = Start(Request(context));
            Finish(schedule, stream);
            Assert.Equal(reused, Ended(stream).ReusedTokens);
            Assert.Equal(Alone(Request(context)), Ids(stream));
        }
    }

    [Fact]
    public void Turn_FusionMadeForARequest_GoesWithIt()
    {
        var engine = new FakeEngine(2) { Next = Script.Says("xxxx") };
        var time = new FakeTimeProvider();
        var schedule = new DecodeSchedule(engine, waiting, time: time);
        var owners = new List<Owner>();
        DecodeRequest Request() => new(Script.Prompt(4), new Sampling(4))
        {
            Fuse = () =>
            {
                time.Advance(DecodeSchedule.LongFusing);
                owners.Add(new Owner());
                return new FusedPrompt(new FakeFusion(1), owners[^1]);
            },
        };
        var streams = new[] { Start(Request()), Start(Request()), Start(Request()) };

        schedule.Turn();
        Assert.Single(owners); // one long encoder pass between two steps
        foreach (var stream in streams) Finish(schedule, stream);

        Assert.Equal([1, 1, 1], owners.Select(owner => owner.Disposals));
        Assert.Equal(0, engine.Begun);
    }

    [Fact]
    public void Turn_FusionsThatAreThereAlready_JoinTogether()
    {
        var schedule = new DecodeSchedule(new FakeEngine(3) { Next = Script.Says("xxxx") }, waiting, time: new FakeTimeProvider());
        var kept = new FusedPrompt(new FakeFusion(1));
        var streams = Enumerable.Range(0, 3).Select(_ => Start(new DecodeRequest(Script.Prompt(4), new Sampling(4)) { Fuse = () => kept })).ToList();

        schedule.Turn();

        Assert.All(streams, stream => Assert.Equal(2, stream.Pieces.Count));
    }

    [Fact]
    public void Turn_StepFails_ItsRequestsEndAndTheOthersGoOn()
    {
        var engine = new FakeEngine(3) { Next = Script.Says("xxxxxxxx") };
        var failures = new List<Exception>();
        var schedule = new DecodeSchedule(engine, waiting, failures.Add);
        var (first, second) = (Start(2), Start(2));
        schedule.Turn();
        var reading = Start(100);
        engine.Calling = call => Throw(call, "step");

        schedule.Turn();

        Assert.Equal("Failed at the next token: out of luck", Ended(first).Error);
        Assert.Equal((FinishReason.Error, 2), (Ended(second).Reason, Ended(second).AnswerTokens));
        Assert.Single(failures);
        engine.Calling = null;
        var next = Start(2);
        Finish(schedule, next);
        Finish(schedule, reading);
        Assert.Equal([FinishReason.Stop, FinishReason.Stop], [Ended(next).Reason, Ended(reading).Reason]);
        Assert.Equal(0, Ended(next).ReusedTokens); // nothing of a failed step is trusted
    }

    [Theory]
    [InlineData("begin 1", "joining the batch")]
    [InlineData("prefill 1", "reading the prompt")]
    public void Turn_OneRequestFails_IsTheOnlyOne(string call, string where)
    {
        var engine = new FakeEngine(2) { Next = Script.Says("xxxx") };
        var schedule = new DecodeSchedule(engine, waiting);
        var fine = Start(2);
        schedule.Turn();
        engine.Calling = now => Throw(now, call);

        var failing = Start(2);
        Finish(schedule, failing);
        engine.Calling = null;
        Finish(schedule, fine);

        Assert.Equal($"Failed at {where}: out of luck", Ended(failing).Error);
        Assert.Equal(FinishReason.Stop, Ended(fine).Reason);
        Assert.Equal(FinishReason.Stop, EndOf(schedule, Start(2)).Reason);
    }

    [Fact]
    public void Turn_SlotCannotBeFreed_HoldsNothingAndIsFreedLater()
    {
        var engine = new FakeEngine(1) { Next = Script.Says("xxxx") };
        var schedule = new DecodeSchedule(engine, waiting);
        engine.Calling = call => Throw(call, "step", "truncate");
        Assert.Equal(FinishReason.Error, EndOf(schedule, Start(9)).Reason);
        engine.Calling = null;

        var next = EndOf(schedule, Start(9));

        Assert.Equal((FinishReason.Stop, 0), (next.Reason, next.ReusedTokens));
    }

    [Fact]
    public void Turn_FusionFails_TheNextTakesTheSlot()
    {
        var engine = new FakeEngine(1) { Next = Script.Says("x") };
        var schedule = new DecodeSchedule(engine, waiting);
        var failing = Start(new DecodeRequest(Script.Prompt(2), new Sampling()) { Fuse = () => throw new InvalidOperationException("no picture\n   at 0x123") });
        var fine = Start(2);

        schedule.Turn();
        schedule.Turn(); // a fusion was tried in the first turn, so that nobody else joined

        Assert.Equal("Failed at the fusion of its prompt: no picture", Ended(failing).Error);
        Assert.Equal(FinishReason.Stop, Ended(fine).Reason);
    }

    [Fact]
    public void Turn_SlotIsFull_EndsWithLength()
    {
        var engine = new FakeEngine(1, length: 10) { Next = Script.Says(new string('x', 50)) };
        var schedule = new DecodeSchedule(engine, waiting);

        // Three positions of the fusion, four of the prompt, three of the answer: the fourth is said and not read.
        var ended = EndOf(schedule, Start(new DecodeRequest(Script.Prompt(4), new Sampling()) { Context = new FakeFusion(1, 3) }));

        Assert.Equal(new DecodeOutcome(FinishReason.Length, 4, 0, 4), ended);
    }

    [Fact]
    public void Turn_PromptDoesNotFitBehindThePrefix_SaysHowMuchWould()
    {
        var schedule = new DecodeSchedule(new FakeEngine(1, length: 10), waiting);

        var ended = EndOf(schedule, Start(new DecodeRequest(Script.Prompt(8), new Sampling()) { Context = new FakeFusion(1, 3) }));

        Assert.Equal("Failed at joining the batch: the prompt has 8 tokens; behind the fusion's prefix of 3 there is room for 7", ended.Error);
    }

    [Fact]
    public void EndAll_RunningAndWaiting_CancelsThemAndFreesTheSlots()
    {
        var engine = new FakeEngine(2) { Next = Script.Says(new string('x', 50)) };
        var schedule = new DecodeSchedule(engine, waiting);
        var streams = new[] { Start(2), Start(90), Start(2) };
        schedule.Turn();

        schedule.EndAll();

        Assert.All(streams, stream => Assert.Equal(FinishReason.Cancelled, Ended(stream).Reason));
        Assert.Equal((0, 0), (engine.Begun, schedule.Figures.Running));
    }

    private static void Throw(string call, params string[] at)
    {
        if (at.Any(start => call.StartsWith(start, StringComparison.Ordinal))) throw new InvalidOperationException("out of luck");
    }

    private static DecodeOutcome Ended(DecodeStream stream)
    {
        Assert.True(stream.Outcome.IsCompletedSuccessfully, "the request has not ended");
        return stream.Outcome.Result;
    }

    private static DecodeOutcome EndOf(DecodeSchedule schedule, DecodeStream stream)
    {
        Finish(schedule, stream);
        return Ended(stream);
    }

    private static void Finish(DecodeSchedule schedule, DecodeStream stream)
    {
        for (var turn = 0; turn < 200 && !stream.Outcome.IsCompleted; turn++) schedule.Turn();
        Ended(stream);
    }

    private static List<int?> Ids(DecodeStream stream)
    {
        var ids = new List<int?>();
        while (stream.Pieces.TryRead(out var piece)) ids.Add(piece.Token);
        return ids;
    }

    // What an engine that has never seen anything answers.
    private List<int?> Alone(DecodeRequest request)
    {
        var (jobs, job) = (new WaitingJobs(1), new DecodeJob(request, tokenizer, ByteTokenizer.End, default));
        jobs.TryAdd(job);
        Finish(new DecodeSchedule(new FakeEngine(1), jobs), job.Stream);
        return Ids(job.Stream);
    }

    private DecodeStream Start(int prompt, char letter = 'p', int tokens = 48, CancellationToken cancellation = default) =>
        Start(new DecodeRequest(Script.Prompt(prompt, letter), new Sampling(tokens)), cancellation);

    private DecodeStream Start(DecodeRequest request, CancellationToken cancellation = default)
    {
        var job = new DecodeJob(request, tokenizer, ByteTokenizer.End, cancellation);
        Assert.True(waiting.TryAdd(job));
        return job.Stream;
    }

    private sealed class Owner : IDisposable
    {
        public int Disposals { get; private set; }

        public void Dispose() => Disposals++;
    }
}
