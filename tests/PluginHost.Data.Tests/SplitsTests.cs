using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public class SplitsTests
{
    // Computed with Python: int.from_bytes(sha1(id).digest(), 'big') % 5, then // 5 % 20.
    [Theory]
    [InlineData("scene", "test")]
    [InlineData("图片3", "test")]
    [InlineData("sample-11", "validation")]
    [InlineData("a", "train")]
    [InlineData("animals/marsupials/koala", "train")]
    public void Splits_OfKnownIds_AreThoseOfTheRule(string id, string split) => Assert.Equal(split, Splits.Of(id));

    [Fact]
    public void Splits_OfManyIds_HaveTheirShares()
    {
        var shares = Enumerable.Range(0, 20_000).GroupBy(i => Splits.Of($"id {i}")).ToDictionary(group => group.Key, group => group.Count() / 20_000.0);
        Assert.Equal(0.20, shares["test"], 0.01);
        Assert.Equal(0.04, shares["validation"], 0.01);
        Assert.Equal(0.76, shares["train"], 0.01);
    }
}
