using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Tests;

public class KeyValueCacheTests
{
    [Fact]
    public void Append_TwoCalls_ReturnsAllPositions()
    {
        using var scope = NewDisposeScope();
        using var cache = new KeyValueCache(1, batch: 2, heads: 1, capacity: 4, headWidth: 3, ScalarType.Float32, CPU);
        cache.Append(0, ones(2, 1, 3, 3), ones(2, 1, 3, 3));
        cache.Advance(3);

        var (keys, values) = cache.Append(0, full([2, 1, 1, 3], 2f), full([2, 1, 1, 3], 5f));

        Assert.Equal([2L, 1L, 4L, 3L], keys.shape);
        Assert.Equal(2 * 3 * (3 * 1 + 2), keys.sum().item<float>());
        Assert.Equal(2 * 3 * (3 * 1 + 5), values.sum().item<float>());
    }

    [Fact]
    public void Append_BeyondCapacity_SaysHowMuchFits()
    {
        using var scope = NewDisposeScope();
        using var cache = new KeyValueCache(1, 1, 1, capacity: 2, 3, ScalarType.Float32, CPU);

        var error = Assert.Throws<InvalidOperationException>(() => cache.Append(0, ones(1, 1, 3, 3), ones(1, 1, 3, 3)));

        Assert.Contains("holds 2 positions", error.Message);
    }

    [Fact]
    public void Truncate_SomePositions_TheNextTakeTheirPlace()
    {
        using var scope = NewDisposeScope();
        using var cache = new KeyValueCache(1, 1, 1, capacity: 4, 3, ScalarType.Float32, CPU);
        cache.SetPrefixMask(ones(1, 1, dtype: ScalarType.Bool));
        cache.Append(0, ones(1, 1, 4, 3), ones(1, 1, 4, 3));
        cache.Advance(4);

        cache.Truncate(2);
        var (keys, _) = cache.Append(0, full([1, 1, 1, 3], 2f), ones(1, 1, 1, 3));

        Assert.Equal([1f, 1f, 2f], keys[0, 0].select(1, 0).data<float>().ToArray());
        Assert.NotNull(cache.PrefixMask);
        cache.Truncate(0);
        Assert.Null(cache.PrefixMask);
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(1));
    }
}
