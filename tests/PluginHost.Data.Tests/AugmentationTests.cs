using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public class AugmentationTests
{
    private sealed class Shift : ITransform
    {
        public Sample Apply(Sample sample, Random random) => sample with { Image = Make.Picture(red: (byte)random.Next(200)) };
    }

    private static byte Red(Sample sample) => ((Picture)sample.Image!).Rgb[0];

    private static Dataset Data(double chance) =>
        new(Make.Config, new ListSource([.. Enumerable.Range(0, 8).Select(i => Make.Sample($"{i}"))]), [], new RejectionLog(), TorchSharp.torch.CPU)
        {
            Tokenizer = new ByteTokenizer(),
            Transforms = [new ChosenTransform("transform.shift", chance, new Shift())],
        };

    private static List<(string Id, byte Red)> Reds(double chance, int batch, int batches, long first = 0, long seed = 1)
    {
        var reds = new List<(string, byte)>();
        foreach (var made in Data(chance).Train(new TrainStream("train", seed, batch, [], 1, first)).Take(batches))
            using (made) reds.AddRange(made.Samples.Select(sample => (sample.Id, Red(sample))));
        return reds;
    }

    [Fact]
    public void Train_Transforms_DependOnSeedEpochAndSampleAlone()
    {
        var expected = Reds(1, batch: 4, batches: 6);

        Assert.Equal(expected, Reds(1, batch: 2, batches: 12));
        Assert.Equal(expected.Skip(8), Reds(1, batch: 4, batches: 4, first: 2));
        Assert.NotEqual(expected, Reds(1, batch: 4, batches: 6, seed: 2));
        Assert.True(expected.GroupBy(item => item.Id).All(group => group.Select(item => item.Red).Distinct().Count() > 1), "an epoch repeats the one before");
    }

    [Fact]
    public void Train_Chance_IsTheShareThatChanges()
    {
        Assert.All(Reds(0, batch: 8, batches: 4), item => Assert.Equal(255, item.Red));
        Assert.InRange(Reds(0.5, batch: 8, batches: 50).Count(item => item.Red != 255), 150, 250);
    }

    [Fact]
    public void Load_Samples_StayUntransformed() => Assert.All(Data(1).Load("train", 0, []), sample => Assert.Equal(255, Red(sample)));
}
