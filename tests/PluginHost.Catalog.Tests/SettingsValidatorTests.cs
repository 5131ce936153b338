using System.Text;
using PluginHost.Config;
using PluginHost.Config.Json;

namespace PluginHost.Catalog.Tests;

public class SettingsValidatorTests
{
    private static (IReadOnlyDictionary<string, object?> Values, List<ConfigError> Errors) Validate(string settings)
    {
        using var catalog = PluginCatalog.Discover([FixturePlugins.Loading]);
        var node = JsonTreeReader.Read(Encoding.UTF8.GetBytes(settings), "p.json");
        var errors = new List<ConfigError>();
        return (SettingsValidator.Validate(catalog.Find("media.plain")!, new PluginUse("media.plain", node, node.Location), errors), errors);
    }

    [Fact]
    public void Validate_AllTypes_GivesResolvedValues()
    {
        var (values, errors) = Validate("""{ "width": 16, "heads": 2.0, "rate": 1, "stem": false, "tone": "SoftGrey", "words": ["a"], "sizes": [], "limit": 3 }""");

        Assert.Empty(errors);
        Assert.Equal((16L, 2L, 1.0, false, "softGrey", "plain", 3L), (values["width"], values["heads"], values["rate"], values["stem"], values["tone"], values["name"], values["limit"]));
        Assert.Equal(new[] { "a" }, values["words"]);
        Assert.Equal(Array.Empty<long>(), values["sizes"]);
    }

    [Theory]
    [InlineData("""{ "widht": 16 }""", "p.json(1,3): $.widht: unknown setting 'widht' of media.plain; did you mean 'width'?")]
    [InlineData("""{ "Width": 16 }""", "p.json(1,3): $.Width: unknown setting 'Width' of media.plain; did you mean 'width'?")]
    [InlineData("""{ "width": 4 }""", "p.json(1,12): $.width: 'width' of media.plain is 4, outside its range 8 to 1024")]
    [InlineData("""{ "width": 16.5 }""", "p.json(1,12): $.width: 'width' of media.plain is a whole number, not 16.5")]
    [InlineData("""{ "width": null }""", "p.json(1,12): $.width: 'width' of media.plain cannot be null; leave it out for its default")]
    [InlineData("""{ "limit": 9999999999 }""", "p.json(1,12): $.limit: 'limit' of media.plain is 9999999999, which does not fit into 32 bits")]
    [InlineData("""{ "rate": "fast" }""", "p.json(1,11): $.rate: 'rate' of media.plain is a number, not the text \"fast\"")]
    [InlineData("""{ "stem": 1 }""", "p.json(1,11): $.stem: 'stem' of media.plain is true or false, not 1")]
    [InlineData("""{ "tone": "lowd" }""", "p.json(1,11): $.tone: 'tone' of media.plain cannot be 'lowd'; did you mean 'loud'?")]
    [InlineData("""{ "tone": 1 }""", "p.json(1,11): $.tone: 'tone' of media.plain is one of softGrey, loud, not 1")]
    [InlineData("""{ "words": "a" }""", "p.json(1,12): $.words: 'words' of media.plain is a list in [ ], not the text \"a\"")]
    [InlineData("""{ "words": ["a", 1] }""", "p.json(1,18): $.words[1]: 'words' of media.plain is a text, not 1")]
    [InlineData("""{ "width": 20, "heads": 3 }""", "p.json(1,12): $.width: width 20 is not a multiple of 2 * heads = 6 (rule of media.plain: width is a multiple of 2 * heads)")]
    [InlineData("""{ "heads": 5 }""", "p.json(1,12): $.heads: width 64 is not a multiple of 2 * heads = 10 (rule of media.plain: width is a multiple of 2 * heads)")]
    public void Validate_Mistake_SaysPlaceValueAndRule(string settings, string message) =>
        Assert.Equal(message, Assert.Single(Validate(settings).Errors).ToString());

    [Fact]
    public void Validate_SeveralMistakes_ListsAll() => Assert.Equal(3, Validate("""{ "width": 4, "rate": 2, "nmae": "x" }""").Errors.Count);
}
