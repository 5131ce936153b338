namespace PluginHost.Config.Tests;

public class NearestNameTests
{
    [Theory]
    [InlineData("dropuot", "dropout")]
    [InlineData("Dropout", "dropout")]
    [InlineData("widht", "width")]
    [InlineData("fusion.midd", "fusion.mid")]
    [InlineData("quantum", null)]
    [InlineData("", null)]
    [InlineData("x", null)]
    public void Of_Name_IsTheNearestOrNothing(string name, string? nearest) =>
        Assert.Equal(nearest, NearestName.Of(name, ["dropout", "width", "heads", "fusion.mid", "fusion.late"]));

    [Fact]
    public void Suggestion_NothingNear_ListsWhatIsKnown() => Assert.Equal("; known: heads, width", NearestName.Suggestion("quantum", ["width", "heads"]));
}
