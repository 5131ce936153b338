using PluginHost.Catalog;
using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public class FilterRoundsTests
{
    private sealed class Named(string drop, List<string> surveyed) : IFilter
    {
        public void Survey(Sample sample) => surveyed.Add(sample.Id);

        public FilterDecision Decide(Sample sample) => sample.Id == "torn" ? throw new BadSampleException("torn in the middle")
            : new FilterDecision(sample.Id != drop, 1, 0, sample.Id == drop ? "unwanted" : "kept");

        public void Dispose()
        {
        }
    }

    private static MediaDecoding Media(IMediaDecoder? decoder = null, TimeSpan? limit = null) =>
        new(decoder is null ? [] : [new MediaPlugin("media.fake", [".png", ".jpg"], decoder)], Dataset.FormatOf(Make.Config), limit);

    private static FilterOutcome Run(ISource source, MediaDecoding media, params IReadOnlyList<ChosenFilter>[] rounds) =>
        new FilterRounds(source, media, (_, _) => { }, default).Run(rounds);

    [Fact]
    public void Rounds_WhatOneDrops_TheNextDoesNotSee()
    {
        var (first, second) = (new List<string>(), new List<string>());
        var outcome = Run(new ListSource(Make.Sample("a"), Make.Sample("b"), Make.Sample("torn"), Make.Sample("c")), Media(),
            [new ChosenFilter("filter.one", () => new Named("b", first))], [new ChosenFilter("filter.two", () => new Named("c", second))]);

        Assert.Equal(["a", "b", "torn", "c"], first);
        Assert.Equal(["a", "c"], second);
        Assert.Equal(["a"], outcome.Kept.Select(place => place.Id));
        Assert.Equal("torn in the middle", outcome.Decisions.Single(decision => decision.Place.Id == "torn").Decision.Reason);
    }

    [Fact]
    public void Reading_UnreadableAndTwinSamples_AreDroppedWithTheirReason()
    {
        var outcome = Run(new ListSource(Make.Sample("a"), null, Make.Sample("a")), Media());

        Assert.Equal([0], outcome.Kept.Select(place => place.Index));
        Assert.Equal(["cannot be read", "another sample has the id 'a'"], outcome.Decisions.Select(decision => decision.Decision.Reason));
    }

    [Fact]
    public void Reading_RowsThatTheSourceLeftOut_AreCounted()
    {
        var source = new ListSource(Make.Sample("a"));
        var outcome = new FilterRounds(source, Media(), (_, _) => { }, default).Run([], [new Rejection("rows.jsonl(7)", "half a row")]);

        var decision = Assert.Single(outcome.Decisions);
        Assert.Equal((FilterRounds.Opening, "rows.jsonl(7)", false, "half a row"), (decision.Filter, decision.Place.Id, decision.Decision.Keep, decision.Decision.Reason));
    }

    [Fact]
    public void Filter_Failing_IsOneErrorThatNamesItAndTheSample()
    {
        var rounds = new FilterRounds(new ListSource(Make.Sample("a")), Media(), (_, _) => { }, default);
        var error = Assert.Throws<PluginFailedException>(() => rounds.Run([[new ChosenFilter("filter.broken", () => new Broken())]]));
        Assert.Contains("filter.broken", error.Message, StringComparison.Ordinal);
        Assert.Contains("deciding about 'a'", error.Message, StringComparison.Ordinal);
    }

    private sealed class Broken : IFilter
    {
        public FilterDecision Decide(Sample sample) => throw new InvalidOperationException("no");

        public void Dispose()
        {
        }
    }

    [Fact]
    public void Reading_DecoderThatHangs_CostsItsSampleAlone()
    {
        using var never = new ManualResetEventSlim();
        var decoder = new FakeDecoder(_ =>
        {
            never.Wait(TimeSpan.FromSeconds(20));
            return Make.Picture();
        });
        var file = new MediaFile(Path.GetFullPath("hangs.png"));
        var outcome = Run(new ListSource(Make.Sample("a"), Make.Sample("b") with { Image = file }), Media(decoder, TimeSpan.FromMilliseconds(50)));

        Assert.Equal(["a"], outcome.Kept.Select(place => place.Id));
        Assert.Equal($"{file.Path}: decoding took more than 0.05 s, and when tried again more than 0.1 s", outcome.Decisions.Single().Decision.Reason);
        never.Set();
    }

    [Fact]
    public void Reading_DecoderThatWasOnlySlowOnce_KeepsItsSample()
    {
        using var never = new ManualResetEventSlim();
        var calls = 0;
        var decoder = new FakeDecoder(_ =>
        {
            if (Interlocked.Increment(ref calls) == 1) never.Wait(TimeSpan.FromSeconds(20));
            return Make.Picture();
        });
        var outcome = Run(new ListSource(Make.Sample("a") with { Image = new MediaFile(Path.GetFullPath("slow.png")) }), Media(decoder, TimeSpan.FromMilliseconds(500)));

        Assert.Equal(["a"], outcome.Kept.Select(place => place.Id));
        Assert.Equal(2, calls);
        never.Set();
    }

    [Fact]
    public void Decode_PartOfAFile_ReachesTheDecoderAsAFileOfItsOwn()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, "before|picture|after");
        var seen = "";
        var decoder = new ReadingDecoder(text => seen = text);

        Media(decoder).Decode(new MediaPart(path, 7, 7, ".png"), "image", Dataset.FormatOf(Make.Config), default);
        var error = Assert.Throws<BadSampleException>(() => Media(new ReadingDecoder(_ => throw new BadSampleException("damaged"))).Decode(new MediaPart(path, 7, 7, ".png"), "image", Dataset.FormatOf(Make.Config), default));

        Assert.Equal("picture", seen);
        Assert.Equal($"{path} at 7: damaged", error.Message);
        Assert.Contains("in the middle of a medium", Assert.Throws<BadSampleException>(() => new MediaPart(path, 7, 700, ".png").Read()).Message, StringComparison.Ordinal);
        File.Delete(path);
    }

    private sealed class ReadingDecoder(Action<string> read) : IMediaDecoder
    {
        public MediaContent Decode(string path, string modality, MediaFormat format, CancellationToken cancellation)
        {
            try
            {
                read(File.ReadAllText(path));
            }
            catch (BadSampleException error)
            {
                throw new BadSampleException($"{path}: {error.Message}");
            }
            return Make.Picture();
        }
    }
}
