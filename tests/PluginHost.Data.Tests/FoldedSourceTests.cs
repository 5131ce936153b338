using PluginHost.Sdk;

namespace PluginHost.Data.Tests;

public sealed class FoldedSourceTests
{
    private readonly ListSource source = new([.. Enumerable.Range(0, 7).Select(index => new Sample($"{index}"))]);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    public void Folds_AnyNumber_AreApartAndTogetherTheSplit(int folds)
    {
        var alone = Enumerable.Range(0, folds).Select(fold => Ids(FoldedSource.Only(source, folds, fold))).ToList();

        Assert.Equal(Ids(source).Order(), alone.SelectMany(ids => ids).Order());
        for (var fold = 0; fold < folds; fold++) Assert.Equal(Ids(source), alone[fold].Concat(Ids(FoldedSource.Without(source, folds, fold))).Order());
    }

    [Fact]
    public void Folds_One_IsTheSourceItself()
    {
        Assert.Same(source, FoldedSource.Without(source, 1, 0));
        Assert.Same(source, FoldedSource.Only(source, 1, 0));
    }

    [Fact]
    public void Folds_OtherSplits_AreWhole()
    {
        using var tested = new FakeSplits();
        using var folded = FoldedSource.Without(tested, 2, 1);

        Assert.Equal(tested.Splits, folded.Splits);
        Assert.Equal((2, 3), (folded.Count("train"), folded.Count("test")));
        Assert.Equal("test 2", folded.Read("test", 2).Id);
    }

    [Fact]
    public void Fingerprint_OfEachFold_IsItsOwn()
    {
        string[] all = [source.Fingerprint, FoldedSource.Without(source, 2, 0).Fingerprint, FoldedSource.Without(source, 2, 1).Fingerprint, FoldedSource.Only(source, 2, 0).Fingerprint];

        Assert.Equal(all.Length, all.Distinct().Count());
    }

    [Fact]
    public void Dispose_Folded_DisposesTheSource()
    {
        FoldedSource.Without(source, 2, 0).Dispose();

        Assert.True(source.Disposed);
    }

    private static string[] Ids(ISource source) => [.. Enumerable.Range(0, source.Count("train")).Select(index => source.Read("train", index).Id)];

    private sealed class FakeSplits : ISource
    {
        public IReadOnlyList<string> Splits { get; } = ["train", "test"];

        public string Fingerprint => "fake";

        public int Count(string split) => 3;

        public Sample Read(string split, int index) => new($"{split} {index}");

        public void Dispose()
        {
            // holds nothing
        }
    }
}
