using System.Security.Cryptography;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Sdk;
using Source.Scenes;
using Transform.Audio;
using Transform.Image;
using Transform.Text;

namespace Plugins.Data.Tests;

/// <summary>The loader over a real source with real transforms.</summary>
public class LoaderTests
{
    /// <summary>A hash of all that the first batches hold, in order.</summary>
    private static string Hash(int workers, long first, int batches)
    {
        var config = new DataConfig { Sources = [], ImageSize = 32, AudioRate = 4000, TextLength = 96, TextBucket = 4, Workers = workers };
        var format = Dataset.FormatOf(config);
        var source = new ScenesSource(new ScenesOptions(Train: 60, Test: 5, Validation: 5, Compositional: 5)).Open(Surroundings.Source(format: format));
        using var data = new Dataset(config, source, [], new RejectionLog(), TorchSharp.torch.CPU)
        {
            Transforms =
            [
                new("transform.rotate", 0.5, new RotateTransform(new RotateOptions())), new("transform.flip", 0.5, new FlipTransform(new FlipOptions())),
                new("transform.colour", 1, new ColourTransform(new ColourOptions())), new("transform.erase", 0.5, new EraseTransform(new EraseOptions())),
                new("transform.noise", 0.5, new NoiseTransform(new NoiseOptions())), new("transform.spec-augment", 0.5, new SpecAugmentTransform(new SpecAugmentOptions())),
                new("transform.token-dropout", 1, new TokenDropoutTransform(new TokenDropoutOptions())),
            ],
        };
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var batch in data.Train(new TrainStream("train", 7, 8, [], 2, first)).Take(batches))
            using (batch)
            {
                foreach (var sample in batch.Samples) hash.AppendData(System.Text.Encoding.UTF8.GetBytes($"{sample.Id}|{string.Join('|', sample.Texts.Values)}|{string.Join('|', sample.Turns.Select(turn => turn.Prompt + turn.Answer))}\n"));
                foreach (var tensor in new[] { batch.Image!.Data, batch.Audio!.Data }) hash.AppendData(tensor.bytes);
            }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    [Fact]
    public void Train_OneToEightWorkers_GiveTheSameBytes()
    {
        var expected = Hash(1, 0, 20);
        foreach (var workers in new[] { 2, 4, 8 }) Assert.Equal(expected, Hash(workers, 0, 20));
        Assert.NotEqual(expected, Hash(2, 1, 20));
    }
}
