using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public class TrainingStreamTests
{
    private static Sample?[] Samples(int count) =>
        [.. Enumerable.Range(0, count).Select(i => Make.Sample($"{i}", [.. Enumerable.Range(0, 5).Select(t => new Turn($"task{t}", $"p{t}", $"a{i}"))]))];

    private static TrainStream Stream(long first = 0, long seed = 1, int batch = 4, params string[] tasks) => new("train", seed, batch, tasks, 2, first);

    /// <summary>Everything random about the first batches, as text.</summary>
    private static List<string> Describe(Dataset data, TrainStream stream, int batches)
    {
        var seen = new List<string>();
        foreach (var batch in data.Train(stream).Take(batches))
            using (batch)
                seen.Add(string.Join(' ', batch.Samples.Select(sample => sample.Id)) + " | " + string.Join(' ', batch.Text!.Ids.data<long>().ToArray()) + " | " + string.Join(' ', batch.Caption!.Ids.data<long>().ToArray()));
        return seen;
    }

    private static List<string> Ids(Dataset data, TrainStream stream, int batches)
    {
        var seen = new List<string>();
        foreach (var batch in data.Train(stream).Take(batches))
            using (batch) seen.AddRange(batch.Samples.Select(sample => sample.Id));
        return seen;
    }

    [Fact]
    public void Batches_OfOneSeed_AreAlwaysTheSame()
    {
        var first = Describe(Make.Dataset(new ListSource(Samples(10))), Stream(), 8);
        Assert.Equal(first, Describe(Make.Dataset(new ListSource(Samples(10))), Stream(), 8));
        Assert.NotEqual(first, Describe(Make.Dataset(new ListSource(Samples(10))), Stream(seed: 2), 8));
    }

    [Fact]
    public void Stream_TakenUpInTheMiddle_GoesOnAsIfNeverStopped()
    {
        using var data = Make.Dataset(new ListSource(Samples(10)));
        Assert.Equal(Describe(data, Stream(), 8)[5..], Describe(data, Stream(first: 5), 3));
    }

    [Fact]
    public void Epoch_HoldsEverySampleOnce_InANewOrderEachTime()
    {
        var ids = Ids(Make.Dataset(new ListSource(Samples(12))), Stream(), 6);
        Assert.Equal(12, ids[..12].Distinct().Count());
        Assert.Equal(12, ids[12..].Distinct().Count());
        Assert.NotEqual(ids[..12], ids[12..]);
    }

    [Fact]
    public void Turns_OfOneSample_DifferBetweenEpochs()
    {
        var texts = Describe(Make.Dataset(new ListSource(Samples(1))), Stream(batch: 1), 20);
        Assert.InRange(texts.Distinct().Count(), 5, 20);
    }

    [Fact]
    public void Languages_AreMixedWithinABatch()
    {
        Sample?[] samples = [.. Enumerable.Range(0, 400).Select(i => new Sample($"{i}") { Texts = new Dictionary<string, string> { ["en"] = "a", ["zh"] = "b" } })];
        using var data = Make.Dataset(new ListSource(samples));
        foreach (var batch in data.Train(Stream(batch: 50)).Take(8))
            using (batch)
                Assert.InRange(batch.Caption!.Ids.select(1, 1).eq(ByteTokenizer.First + 'a').sum().item<long>(), 10, 40);
    }

    [Fact]
    public void BadSample_IsReplaced_AndNotedOnce()
    {
        var samples = Samples(8);
        samples[3] = null;
        var data = Make.Dataset(new ListSource(samples));
        var ids = Ids(data, Stream(), 8);
        Assert.Equal(32, ids.Count);
        Assert.DoesNotContain("3", ids);
        Assert.Equal([new Rejection("train[3]", "cannot be read")], data.Rejections);
    }

    [Fact]
    public void DecoderThatHangs_CostsItsSample_AndNotTheTraining()
    {
        using var never = new ManualResetEventSlim();
        var decoder = new FakeDecoder(_ =>
        {
            never.Wait(TimeSpan.FromSeconds(20));
            return Make.Picture();
        });
        var samples = Samples(8);
        samples[3] = samples[3]! with { Image = new MediaFile(Path.GetFullPath("hangs.png")) };
        using var data = Make.Dataset(new ListSource(samples), Make.Config with { DecodeSeconds = 0.1 }, media: [new MediaPlugin("media.fake", ["*"], decoder)]);

        var ids = Ids(data, Stream(), 8);
        never.Set();

        Assert.Equal(32, ids.Count);
        Assert.DoesNotContain("3", ids);
        Assert.EndsWith("hangs.png: decoding took more than 0.1 s, and when tried again more than 0.2 s", Assert.Single(data.Rejections).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Tasks_ChooseSamplesAndTurns()
    {
        var samples = Samples(8);
        samples[2] = Make.Sample("2", new Turn("voice", "p", "a"));
        var data = Make.Dataset(new ListSource(samples));
        Assert.All(Ids(data, Stream(tasks: "voi*"), 2), id => Assert.Equal("2", id));
        Assert.DoesNotContain("2", Ids(data, Stream(tasks: "task1"), 4));
        Assert.Empty(data.Rejections);
    }

    [Fact]
    public void TasksThatNoSampleHas_AreAMistake()
    {
        var error = Assert.Throws<UserErrorException>(() => Ids(Make.Dataset(new ListSource(Samples(3))), Stream(tasks: "nothing"), 1));
        Assert.Contains("tasks [nothing]", error.Message);
    }

    [Fact]
    public void AllSamplesBad_TheReasonsAreTold()
    {
        var error = Assert.Throws<UserErrorException>(() => Ids(Make.Dataset(new ListSource(null, null)), Stream(), 1));
        Assert.Contains("cannot be read", error.Message);
    }

    [Fact]
    public void EmptySplit_IsAMistake()
    {
        var data = Make.Dataset(new ListSource(Samples(3)));
        Assert.Contains("train (3), test (0)", Assert.Throws<UserErrorException>(() => data.Train(Stream() with { Split = "test" })).Message);
    }

    [Fact]
    public void FailureInTheBackground_ReachesTheConsumer()
    {
        var data = Make.Dataset(new ListSource((Sample?)null) { Failure = new InvalidOperationException("broken plugin") });
        Assert.Equal("broken plugin", Assert.Throws<InvalidOperationException>(() => Ids(data, Stream(), 1)).Message);
    }

    [Fact]
    public void Stream_WorksAheadByAFewBatches_AndStopsWhenLeft()
    {
        var source = new ListSource(Samples(10));
        var data = Make.Dataset(source);
        foreach (var batch in data.Train(Stream()))
        {
            batch.Dispose();
            break;
        }
        var reads = source.Reads;
        Assert.InRange(reads, 4, 5 * 4);
        Thread.Sleep(50);
        Assert.Equal(reads, source.Reads);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Workers_HoweverMany_GiveTheSameBatches(int workers)
    {
        foreach (var bucket in new[] { 1, 3 })
        {
            var samples = Samples(23);
            samples[5] = null; // its stand-ins too
            var config = Make.Config with { TextBucket = bucket };
            var expected = Describe(Make.Dataset(new ListSource(samples), config with { Workers = 1 }), Stream(first: 2), 20);
            Assert.Equal(expected, Describe(Make.Dataset(new ListSource(samples), config with { Workers = workers }), Stream(first: 2), 20));
        }
    }

    [Fact]
    public void SlowConsumer_DoesNotLetBatchesPileUp()
    {
        const int workers = 4;
        var source = new ListSource(Samples(10));
        using var batches = Make.Dataset(source, Make.Config with { Workers = workers }).Train(Stream()).GetEnumerator();
        for (var taken = 1; taken <= 5; taken++)
        {
            Assert.True(batches.MoveNext());
            batches.Current.Dispose();
            Thread.Sleep(20);
            Assert.InRange(source.Reads, 4 * taken, 4 * (taken + workers + 2));
        }
    }

    [Fact]
    public void Bucket_Batches_HoldTextsOfLikeLength_AndEverySampleOnceInAWindow()
    {
        Sample?[] samples = [.. Enumerable.Range(0, 64).Select(i => new Sample($"{i:00}") { Image = Make.Picture(), Turns = [new Turn("q", "p", new string('a', i * 37 % 50))] })];
        static long Padding(Dataset data, List<string> ids)
        {
            long padding = 0;
            foreach (var batch in data.Train(new TrainStream("train", 1, 8, [], 1)).Take(8))
                using (batch)
                {
                    // Up to the longest row: that all end at a multiple of eight has nothing to do with their order.
                    using var lengths = batch.Text!.Mask.sum(1);
                    padding += (lengths.max() - lengths).sum().item<long>();
                    ids.AddRange(batch.Samples.Select(sample => sample.Id));
                }
            return padding;
        }
        var (mixed, sorted) = (new List<string>(), new List<string>());
        var (before, after) = (Padding(Make.Dataset(new ListSource(samples)), mixed), Padding(Make.Dataset(new ListSource(samples), Make.Config with { TextBucket = 8 }), sorted));
        Assert.True(after * 4 < before, $"{after} tokens of padding against {before}");
        Assert.Equal(mixed.Order(), sorted.Order());
    }

    [Fact]
    public void TaskWeights_RareTask_IsDrawnAsOftenAsItsWeightSays()
    {
        var data = Make.Dataset(new ListSource([.. Enumerable.Range(0, 64).Select(i => new Sample($"{i:00}") { Turns = [new Turn("long.a", "p", "a"), new Turn("long.b", "p", "a"), new Turn("short", "p", "b")] })]));
        var (rare, all) = (0, 0);
        foreach (var batch in data.Train(new TrainStream("train", 1, 8, [], 1) { TaskWeights = [new("long.*", 0.25)] }).Take(250))
            using (batch)
            {
                all += batch.Samples.Count;
                rare += batch.Samples.Count(sample => sample.Turns.Single().Task != "short");
            }
        // 0.5 of 1.5; 2,000 draws have a standard deviation of 0.011.
        Assert.InRange((double)rare / all, 0.28, 0.39);
    }

    [Fact]
    public void Bucket_TakenUpInTheMiddle_GoesOnAsIfNeverStopped()
    {
        var config = Make.Config with { TextBucket = 4 };
        Assert.Equal(Describe(Make.Dataset(new ListSource(Samples(10)), config), Stream(), 12)[6..], Describe(Make.Dataset(new ListSource(Samples(10)), config), Stream(first: 6), 6));
    }
}
