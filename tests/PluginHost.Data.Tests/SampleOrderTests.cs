using System.Diagnostics;
using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public class SampleOrderTests
{
    private static SampleOrder Order(long seed, params SourcePart[] parts) => new(seed, parts);

    private static int[] Indices(SampleOrder order, long first, int count) => [.. Enumerable.Range(0, count).Select(i => order.At(first + i, 0).Index)];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(64)]
    [InlineData(1000)]
    public void Permuted_EveryPlace_IsTakenOnce(int count)
    {
        var places = Enumerable.Range(0, count).Select(place => new KeyedRandom(3, count).Permuted(place, count)).ToArray();
        Assert.Equal(Enumerable.Range(0, count), places.Order());
        if (count > 5) Assert.NotEqual(places, Enumerable.Range(0, count).Select(place => new KeyedRandom(4, count).Permuted(place, count)));
    }

    [Fact]
    public void Permuted_PlaceAndValue_AreUnrelated()
    {
        // Mean distance of neighbours is a third of the range; of places to their values, too.
        const int count = 10_000;
        var values = Enumerable.Range(0, count).Select(place => new KeyedRandom(5).Permuted(place, count)).ToArray();
        Assert.InRange(values.Zip(values.Skip(1), (a, b) => Math.Abs(a - b)).Average() / count, 0.32, 0.347);
        Assert.InRange(values.Select((value, place) => Math.Abs(value - place)).Average() / count, 0.32, 0.347);
        // Where the first place goes is even over keys.
        var first = Enumerable.Range(0, 8000).GroupBy(key => new KeyedRandom(key).Permuted(0, 8)).Select(group => group.Count()).ToArray();
        Assert.Equal(8, first.Length);
        Assert.All(first, hits => Assert.InRange(hits, 880, 1120));
    }

    [Fact]
    public void At_PositionOneMillion_IsFoundWithoutThePast()
    {
        var order = Order(1, new SourcePart(0, 2_000_003, 1));
        var clock = Stopwatch.StartNew();
        var resumed = Indices(Order(1, new SourcePart(0, 2_000_003, 1)), 1_000_000, 64);
        Assert.InRange(clock.ElapsedMilliseconds, 0, 200); // 64 positions, not a million
        Assert.Equal(Indices(order, 0, 1_000_064)[1_000_000..], resumed);
    }

    [Fact]
    public void At_Epochs_EachHoldEverySampleOnceInAnotherOrder()
    {
        var order = Order(1, new SourcePart(0, 50, 1));
        var (first, second) = (Indices(order, 0, 50), Indices(order, 50, 50));
        Assert.Equal(Enumerable.Range(0, 50), first.Order());
        Assert.Equal(Enumerable.Range(0, 50), second.Order());
        Assert.NotEqual(first, second);
        Assert.Equal((0L, 1L), (order.At(49, 0).Epoch, order.At(50, 0).Epoch));
    }

    [Fact]
    public void At_Mix_HasExactProportionsInEveryCycle_AndEpochsOfItsOwnForEachSource()
    {
        SourcePart[] parts = [new(0, 10, 3), new(10, 100, 1), new(110, 7, 2)];
        var order = Order(1, parts);
        var indices = Indices(order, 0, 6 * 50);
        foreach (var cycle in indices.Chunk(6))
            Assert.Equal([3, 1, 2], parts.Select(part => cycle.Count(index => index >= part.First && index < part.First + part.Count)));
        foreach (var part in parts)
        {
            var epochs = Enumerable.Range(0, 6 * 50).Select(position => order.At(position, 0)).Where(place => place.Index >= part.First && place.Index < part.First + part.Count).GroupBy(place => place.Epoch).ToArray();
            Assert.All(epochs[..^1], epoch => Assert.Equal(part.Count, epoch.Select(place => place.Index).Distinct().Count()));
            Assert.All(epochs[..^1], epoch => Assert.Equal(part.Count, epoch.Count()));
        }
        Assert.True(indices.Chunk(6).Select(cycle => string.Join(' ', cycle.Select(index => index < 10 ? 0 : index < 110 ? 1 : 2))).Distinct().Count() > 10, "every cycle has the same pattern");
    }

    [Fact]
    public void At_StandIn_ComesFromTheSameSource()
    {
        var order = Order(1, new SourcePart(0, 10, 1), new SourcePart(10, 10, 1));
        for (var position = 0; position < 40; position++)
        {
            var first = order.At(position, 0).Index;
            Assert.Equal(10, Enumerable.Range(1, 10).Select(attempt => order.At(position, attempt).Index).Where(index => index / 10 == first / 10).Distinct().Count());
        }
    }

    [Fact]
    public void Mix_OfSources_ReadsAndLoadsInTurn()
    {
        var mix = MixedSource.Of([new(new ListSource(Make.Sample("a0"), Make.Sample("a1"), Make.Sample("a2")), 1), new(new ListSource(Make.Sample("b0")), 3)]);
        using var data = Make.Dataset(mix);
        Assert.Equal(4, mix.Count("train"));
        Assert.Equal(["a0", "b0", "a1"], data.Load("train", 3, []).Select(sample => sample.Id));
        Assert.Equal("1 x list + 3 x list", mix.Fingerprint);
        foreach (var batch in data.Train(new TrainStream("train", 1, 8, [], 1)).Take(3))
            using (batch) Assert.Equal(6, batch.Samples.Count(sample => sample.Id == "b0"));
    }

    [Fact]
    public void Mix_SourceWithoutSamples_IsAMistake()
    {
        using var data = Make.Dataset(MixedSource.Of([new(new ListSource(Make.Sample("a")), 1), new(new ListSource(), 3)]));
        Assert.Contains("A source of 'data.mix' has no samples in the split 'train'; there are train (1 + 0)", Assert.Throws<UserErrorException>(() => data.Train(new TrainStream("train", 1, 8, [], 1))).Message, StringComparison.Ordinal);
    }
}
