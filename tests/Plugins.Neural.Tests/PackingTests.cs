using Decoder.Causal;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Data.Tests;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

public class PackingTests
{
    private static readonly Dictionary<string, long> Sizes = new() { ["D"] = 32, ["L"] = 2, ["V"] = 263 };

    /// <summary>Texts of several samples in one row, collated as in training, against each sample alone.</summary>
    [Fact]
    public void Forward_SamplesPackedInOneRow_GiveTheLogitsOfEachAlone()
    {
        using var scope = NewDisposeScope();
        var decoder = Build.Node<IDecoder>(new CausalDecoder(new CausalOptions(Width: 32, Layers: 2, Heads: 4, KeyValueHeads: 2, FeedForward: 24)), Sizes);
        using var data = Make.Dataset(new ListSource());
        Sample[] samples = [.. new[] { "one", "the second", "3", "四" }.Select((answer, i) => new Sample($"{i}") { Turns = [new Turn("q", new string('p', 2 * i + 1), answer)] })];
        using var packed = data.CollateTurns(samples, [], 1, 0);
        Assert.Equal(1, packed.Text!.Ids.shape[0]);
        var logits = decoder.Forward(packed.Text, null, null)[0]; // [tokens, vocabulary]

        for (long i = 0, begin = 0; i < samples.Length; i++)
        {
            using var alone = data.CollateTurns([samples[i]], [], 1, 0);
            var length = alone.Text!.Mask.sum().item<long>(); // padding follows
            var expected = decoder.Forward(alone.Text, null, null)[0].narrow(0, 0, length);
            Assert.InRange(Build.Distance(logits.narrow(0, begin, length), expected), 0, 1e-5f);
            begin += length;
        }
    }
}
