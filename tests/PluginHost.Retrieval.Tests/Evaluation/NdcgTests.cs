using PluginHost.Retrieval.Evaluation;

namespace PluginHost.Retrieval.Tests.Evaluation;

public class NdcgTests
{
    [Theory]
    [InlineData("1", 1, 1)]
    [InlineData("0", 1, 0)]
    [InlineData("01", 1, 0.6309297535714575)]   // 1 / log2(3)
    [InlineData("101", 2, 0.9197207891481876)]  // (1 + 1/2) / (1 + 1/log2(3))
    [InlineData("00000000001", 1, 0)]           // beyond the depth
    [InlineData("1111111111", 50, 1)]           // more are right than are looked at
    public void At_KnownLists_GivesTheFormula(string found, int right, double expected) =>
        Assert.Equal(expected, Ndcg.At(found.Select(hit => hit == '1'), right, 10), 12);
}
