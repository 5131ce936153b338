using CsCheck;
using PluginHost.Runs.Decoding;
using PluginHost.Runs.Generation;
using PluginHost.Sdk;

namespace PluginHost.Runs.Tests.Decoding;

public class ContinuousBatchTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task TryStart_Request_StreamsItsTextAndHowItEnded()
    {
        using var batch = new ContinuousBatch(new FakeEngine(2) { Next = Script.Says("Zwei Äpfel €") }, new ByteTokenizer());

        var (pieces, outcome) = await Script.ReadAll(batch.TryStart(new DecodeRequest(Script.Prompt(5), new Sampling()) { LogProbabilities = 2 })!);

        Assert.Equal("Zwei Äpfel €", pieces.Text());
        Assert.Equal(ByteTokenizer.Ids("Zwei Äpfel €"), pieces.Select(piece => piece.Token!.Value));
        Assert.All(pieces, piece => Assert.Equal(piece.Token, piece.LogProbability!.Alternatives[0].Token));
        Assert.Equal(new DecodeOutcome(FinishReason.Stop, 5, 0, 15), outcome);
    }

    [Fact]
    public async Task TryStart_StopTextAcrossTokens_EndsBeforeIt()
    {
        using var batch = new ContinuousBatch(new FakeEngine(1) { Next = Script.Says("one STOP two") }, new ByteTokenizer());

        var (pieces, outcome) = await Script.ReadAll(batch.TryStart(new DecodeRequest(Script.Prompt(5), new Sampling()) { Stop = ["STOP"] })!);

        Assert.Equal("one ", pieces.Text());
        Assert.Equal((FinishReason.Stop, 8), (outcome.Reason, outcome.AnswerTokens));
    }

    [Fact]
    public async Task TryStart_CutInACharacterOrAStopText_TheRestComesLast()
    {
        using var batch = new ContinuousBatch(new FakeEngine(1) { Next = Script.Says("a ST€") }, new ByteTokenizer());

        var (pieces, outcome) = await Script.ReadAll(batch.TryStart(new DecodeRequest(Script.Prompt(5), new Sampling(5)) { Stop = ["STOP"] })!);

        Assert.Equal("a ST\uFFFD", pieces.Text());
        Assert.Null(pieces[^1].Token);
        Assert.Equal((FinishReason.Length, 5), (outcome.Reason, outcome.AnswerTokens));
    }

    [Fact]
    public async Task TryStart_FullQueue_IsRefusedAtOnce()
    {
        using var hold = new ManualResetEventSlim();
        using var stepping = new ManualResetEventSlim();
        var engine = new FakeEngine(1) { Next = Script.Says("abc") };
        engine.Calling = _ =>
        {
            stepping.Set();
            hold.Wait(Patience);
        };
        using var batch = new ContinuousBatch(engine, new ByteTokenizer(), capacity: 2);
        DecodeStream? Start() => batch.TryStart(new DecodeRequest(Script.Prompt(5), new Sampling()));

        var running = Start();
        Assert.True(stepping.Wait(Patience));
        var taken = new[] { running, Start(), Start() };
        Assert.Equal((2, 1), (batch.Figures.Waiting, batch.Figures.Running));
        Assert.Null(Start());
        hold.Set();

        foreach (var stream in taken) Assert.Equal(FinishReason.Stop, (await Script.ReadAll(stream!)).Outcome.Reason);
        Assert.Equal("abc", (await Script.ReadAll(Start()!)).Pieces.Text());
    }

    [Fact]
    public async Task TryStart_SlowReader_StallsNobody()
    {
        using var batch = new ContinuousBatch(new FakeEngine(2) { Next = Script.Says(new string('x', 200)) }, new ByteTokenizer());
        var slow = batch.TryStart(new DecodeRequest(Script.Prompt(5), new Sampling(150)))!;

        for (var i = 0; i < 3; i++) Assert.Equal(100, (await Script.ReadAll(batch.TryStart(new DecodeRequest(Script.Prompt(5), new Sampling(100)))!)).Pieces.Count);

        await slow.Outcome.WaitAsync(Patience);
        Assert.Equal(150, (await Script.ReadAll(slow)).Pieces.Count);
    }

    [Fact]
    public async Task Cancel_EndlessAnswer_FreesItsSlotForTheNext()
    {
        var engine = new FakeEngine(1, length: int.MaxValue) { Next = tokens => tokens[0] == ByteTokenizer.Byte('p') ? ByteTokenizer.Byte('x') : ByteTokenizer.End };
        using var batch = new ContinuousBatch(engine, new ByteTokenizer());
        using var source = new CancellationTokenSource();
        var endless = batch.TryStart(new DecodeRequest(Script.Prompt(5), new Sampling(int.MaxValue)), source.Token)!;
        var behind = batch.TryStart(new DecodeRequest(Script.Prompt(5, 'q'), new Sampling()))!;
        await endless.Pieces.ReadAsync();
        Assert.False(behind.Outcome.IsCompleted);

        await source.CancelAsync();

        Assert.Equal(FinishReason.Cancelled, (await endless.Outcome.WaitAsync(Patience)).Reason);
        Assert.Equal(FinishReason.Stop, (await behind.Outcome.WaitAsync(Patience)).Reason);
    }

    [Fact]
    public async Task Dispose_RequestsUnderWay_CancelsThemAndDisposesTheEngine()
    {
        var engine = new FakeEngine(1, length: int.MaxValue) { Next = _ => ByteTokenizer.Byte('x') };
        var batch = new ContinuousBatch(engine, new ByteTokenizer());
        var streams = Enumerable.Range(0, 3).Select(_ => batch.TryStart(new DecodeRequest(Script.Prompt(5), new Sampling(int.MaxValue)))!).ToList();
        await streams[0].Pieces.ReadAsync();

        batch.Dispose();

        Assert.All(streams, stream => Assert.Equal(FinishReason.Cancelled, stream.Outcome.Result.Reason));
        Assert.Equal((0, true), (engine.Begun, engine.Disposed));
        Assert.Throws<ObjectDisposedException>(() => batch.TryStart(new DecodeRequest(Script.Prompt(5), new Sampling())));
    }

    [Fact]
    public void TryStart_ImpossibleRequest_NamesAllThatIsWrong()
    {
        using var batch = new ContinuousBatch(new FakeEngine(1, length: 10), new ByteTokenizer());

        var error = Assert.Throws<UserErrorException>(() => batch.TryStart(new DecodeRequest([.. Script.Prompt(10), 999], new Sampling())
        {
            RepetitionPenalty = 0,
            LogProbabilities = 21,
            Stop = [""],
            Context = new FakeFusion(1),
            Fuse = () => new FusedPrompt(null),
        }));

        Assert.Equal(
            "Request: the prompt has 11 tokens; this model's engine reads 10 at most; the prompt's token 999 is not in the vocabulary of 263; "
            + "a fusion and the means to make one are both given; give one of them; repetition penalty 0 is not above 0; "
            + "21 alternatives are not between 0 and 20; a stop text is empty.", error.Message);
        Assert.Contains("max tokens 0", Assert.Throws<UserErrorException>(() => batch.TryStart(new DecodeRequest(Script.Prompt(2), new Sampling(0)))).Message);
        Assert.Contains("no tokens", Assert.Throws<UserErrorException>(() => batch.TryStart(new DecodeRequest([], new Sampling()))).Message);
    }

    /// <summary>Whatever comes and goes: every request ends once, answers what it would answer alone, and leaves its slot.</summary>
    [Fact]
    public void TryStart_RandomArrivalsLengthsAndCancellations_EachEndsOnceAsAlone()
    {
        var visit = Gen.Select(Gen.Int[1, 90], Gen.Int[1, 12], Gen.Int[0, 3], Gen.Int[0, 9], Gen.Int[-1, 6], Gen.Int[0, 5])
            .Select((prompt, tokens, fusion, seed, cancelAfter, arrival) => new Visit(prompt, tokens, fusion, seed, cancelAfter, arrival));
        Gen.Select(visit.Array[1, 14], Gen.Int[1, 4], Gen.Int[0, 9]).Sample((visits, slots, broken) => Check(visits, slots, broken).GetAwaiter().GetResult(), iter: 150, threads: 1);
    }

    private static async Task Check(Visit[] visits, int slots, int broken)
    {
        var fusions = Enumerable.Range(0, 3).Select(number => new FakeFusion(number)).ToArray();
        var engine = new FakeEngine(slots, length: 95);
        var calls = 0;
        // Some of the engines fail once, at whatever reads.
        if (broken is > 0 and < 4) engine.Calling = call =>
        {
            if (!call.StartsWith("truncate", StringComparison.Ordinal) && ++calls == broken * 5) throw new InvalidOperationException("out of luck");
        };
        var batch = new ContinuousBatch(engine, new ByteTokenizer(), visits.Length);
        var ends = await Task.WhenAll(visits.Select(visit => Task.Run(() => visit.Make(batch, fusions))));

        Assert.Equal((0, 0, visits.Length), (batch.Figures.Waiting, batch.Figures.Running, batch.Figures.Ended));
        Assert.InRange(ends.Count(end => end.Outcome.Reason == FinishReason.Error), 0, slots);
        foreach (var (visit, (pieces, outcome)) in visits.Zip(ends))
        {
            var (alone, whole) = await visit.Alone(fusions);
            var tokens = pieces.Where(piece => piece.Token is not null).ToList();
            Assert.Equal(outcome.AnswerTokens, tokens.Count);
            Assert.Equal(alone.Take(tokens.Count).Select(piece => piece.Token), tokens.Select(piece => piece.Token));
            if (outcome.Reason is FinishReason.Cancelled) Assert.True(visit.CancelAfter >= 0);
            if (outcome.Reason is FinishReason.Cancelled or FinishReason.Error) continue;
            Assert.Equal((alone.Text(), whole.Reason, whole.AnswerTokens), (pieces.Text(), outcome.Reason, outcome.AnswerTokens));
        }
        batch.Dispose();
        Assert.Equal((0, true), (engine.Begun, engine.Disposed));
    }

    /// <summary>A request that comes after some yields of its thread, and may be cancelled after some pieces.</summary>
    private sealed record Visit(int Prompt, int Tokens, int Fusion, int Seed, int CancelAfter, int Arrival)
    {
        public async Task<(List<DecodedPiece> Pieces, DecodeOutcome Outcome)> Make(ContinuousBatch batch, FakeFusion[] fusions)
        {
            for (var i = 0; i < Arrival * 20; i++) await Task.Yield();
            using var source = new CancellationTokenSource();
            var stream = batch.TryStart(Request(fusions), source.Token)!;
            if (CancelAfter == 0) await source.CancelAsync();
            var pieces = new List<DecodedPiece>();
            await foreach (var piece in stream.Pieces.ReadAllAsync().ConfigureAwait(false))
            {
                pieces.Add(piece);
                if (pieces.Count == CancelAfter) await source.CancelAsync();
            }
            return (pieces, await stream.Outcome);
        }

        public async Task<(List<DecodedPiece> Pieces, DecodeOutcome Outcome)> Alone(FakeFusion[] fusions)
        {
            using var batch = new ContinuousBatch(new FakeEngine(1, length: 95), new ByteTokenizer());
            return await Script.ReadAll(batch.TryStart(Request(fusions))!);
        }

        private DecodeRequest Request(FakeFusion[] fusions) => new(Script.Prompt(Prompt), new Sampling(Tokens, Seed % 3 * 0.5, Seed % 2 == 0 ? 1 : 0.9, Seed))
        {
            Context = Fusion < 2 ? fusions[Fusion] : null,
            Fuse = Fusion == 3 ? () => new FusedPrompt(fusions[2]) : null,
            RepetitionPenalty = 1 + Seed % 4 * 0.1,
            Stop = Seed % 5 == 0 ? ["p", "xy"] : [],
        };
    }
}
