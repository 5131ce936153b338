using Filter.Language;
using Filter.Perplexity;
using Filter.SafetyText;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

public sealed class TextFilterTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static Sample Text(string language, string text) => new("one") { Texts = new Dictionary<string, string> { [language] = text } };

    private static FilterDecision Decide(IFilterPlugin plugin, Sample sample, string? folder = null)
    {
        using var filter = plugin.Open(Surroundings.Filter(folder));
        filter.Survey(sample);
        return filter.Decide(sample);
    }

    private FilterDecision Words(string text, string language = "en", string[]? allow = null)
    {
        folder.Write("en.json", """["frobnak", "frobnaking", "blue gorf", "pitlas"]""");
        folder.Write("zh.json", """["色情"]""");
        folder.Write("words.txt", "颜色 900 n\n情况 900 n\n色情 60 n\n");
        return Decide(new SafetyTextFilter(new SafetyTextOptions(".", "words.txt", Allow: allow)), Text(language, text), folder.Path);
    }

    [Theory]
    [InlineData("en", "Das ist ein kleiner brauner Hund im grünen Garten", false)]
    [InlineData("en", "一只狗在绿色的草地上", false)]
    [InlineData("zh", "a small brown dog in the green garden", false)]
    [InlineData("en", "Это маленькая собака в саду", false)]
    [InlineData("en", "a small brown dog in the green garden", true)]
    [InlineData("zh", "一只狗在绿色的草地上", true)]
    public void Language_OfAText_IsHeldAgainstItsKey(string key, string text, bool keep) =>
        Assert.Equal(keep, Decide(new LanguageFilter(new LanguageOptions()), Text(key, text)).Keep);

    [Theory]
    [InlineData("en", "chat", "text 'en' not judged: 4 letters are too few to tell")]
    [InlineData("en", "12:30", "text 'en' not judged: no letters")]
    [InlineData("sw", "mbwa mdogo yuko kwenye bustani", "text 'sw' not judged: 'sw' is not among the languages")]
    public void Language_ThatCannotBeTold_IsKeptWithTheReason(string key, string text, string reason)
    {
        var decision = Decide(new LanguageFilter(new LanguageOptions()), Text(key, text));
        Assert.True(decision.Keep);
        Assert.Equal("kept; " + reason, decision.Reason);
        Assert.True(double.IsNaN(decision.Score));
    }

    [Fact]
    public void Language_OfAnAnswer_IsThatOfItsTask()
    {
        var sample = new Sample("one") { Turns = [new Turn("caption.en", "décris l'image.", "un petit chien brun dans le jardin vert", "image")] };
        Assert.StartsWith("answer of 'caption.en' is 'fr'", Decide(new LanguageFilter(new LanguageOptions()), sample).Reason);
    }

    [Fact]
    public void Language_Unknown_IsRefused() =>
        Assert.Contains("'xx' is no language", Assert.Throws<UserErrorException>(() => Decide(new LanguageFilter(new LanguageOptions(["xx"])), Text("en", "")).Keep).Message);

    [Theory]
    [InlineData("a frobnak here")]
    [InlineData("a FROBNAKS here")]
    [InlineData("a fr0bn4k here")]
    [InlineData("a frobn@k!")]
    [InlineData("p1t1as and p!tlas")]
    [InlineData("a frоbnаk here")] // Cyrillic о and а
    [InlineData("a ｆｒｏｂｎａｋ here")]
    [InlineData("a 𝐟𝐫𝐨𝐛𝐧𝐚𝐤 here")]
    [InlineData("a f\u200brobnak here")]
    [InlineData("a f r o b n a k here")]
    [InlineData("f.r.o.b.n.a.k")]
    [InlineData("frooooobnak")]
    [InlineData("two frobnakers")]
    [InlineData("the Blue  GORF!")]
    public void SafetyText_ListedWordInDisguise_IsDropped(string text) => Assert.False(Words(text).Keep, text);

    [Theory]
    [InlineData("frobnakle and unfrobnak")]
    [InlineData("a blue and a gorf")]
    [InlineData("room 455, model A55, 4th of 1000, me@home.org")]
    public void SafetyText_InnocentWord_IsKept(string text) => Assert.True(Words(text).Keep, Words(text).Reason);

    [Fact]
    public void SafetyText_Chinese_IsCutIntoWords()
    {
        Assert.True(Words("颜色情况", "zh").Keep);
        Assert.Equal("text 'zh' has '色情' of the list 'zh'", Words("看色 情", "zh").Reason);
    }

    [Fact]
    public void SafetyText_AllowedWord_IsKept() => Assert.True(Words("a frobnak here", allow: ["Frobnak"]).Keep);

    [Fact]
    public void SafetyText_MissingLists_SaysHowToInstall() =>
        Assert.Contains("npm install naughty-words@1.2.0", Assert.Throws<UserErrorException>(() => Decide(new SafetyTextFilter(new SafetyTextOptions()), Text("en", ""), folder.Path)).Message);

    [Fact]
    public void SafetyText_DamagedDictionary_NamesTheLine()
    {
        folder.Write("zh.json", "[]");
        folder.Write("words.txt", "颜色 900 n\nnonsense\n");
        var options = new SafetyTextOptions(".", "words.txt", ["zh"]);
        Assert.Contains("words.txt(2): 'nonsense'", Assert.Throws<UserErrorException>(() => Decide(new SafetyTextFilter(options), Text("en", ""), folder.Path)).Message);
    }

    [Fact]
    public void Perplexity_TextUnlikeTheOthers_IsDropped()
    {
        string[] things = ["dog", "cat", "bird", "horse", "boat"], places = ["the green garden", "the old house", "the wide river", "a small town"];
        var samples = things.SelectMany(thing => places.Select(place => Text("en", $"a {thing} is seen in front of {place}"))).Append(Text("en", "xq vkzz jwpf qqoy bnmx rtlk zzvw")).ToList();
        using var filter = new PerplexityFilter(new PerplexityOptions(Fewest: 10)).Open(Surroundings.Filter());
        foreach (var sample in samples) filter.Survey(sample);
        Assert.All(samples.SkipLast(1), sample => Assert.True(filter.Decide(sample).Keep, filter.Decide(sample).Reason));
        Assert.False(filter.Decide(samples[^1]).Keep);
    }

    [Fact]
    public void Perplexity_BrokenEncoding_IsDroppedWithWhatItMeans() =>
        Assert.Contains("it means 'café'", Decide(new PerplexityFilter(new PerplexityOptions()), Text("fr", "cafÃ©")).Reason);

    [Fact]
    public void Perplexity_TooFewTexts_KeepsWithTheReason() =>
        Assert.Equal("kept; fewer than 50 texts of 'en' do not show what is usual", Decide(new PerplexityFilter(new PerplexityOptions()), Text("en", "a small brown dog in a garden")).Reason);
}
