using PluginHost.Sdk;
using Source.WordNet;

namespace Plugins.Data.Tests;

public sealed class WordNetTests : IDisposable
{
    private const string Licence = "  1 This software and database is being provided to you\n";

    private const string Dog = "00000001 05 n 02 dog 0 domestic_dog 0 003 ~ 00000002 n 0000 ~i 00000003 n 0000 + 00000009 v 0101 | a member of the genus Canis; \"the dog barked all night\"; \"he has two dogs\"  \n";
    private const string Puppy = "00000002 05 n 01 puppy 0 001 @ 00000001 n 0000 | a young dog  \n";
    private const string Lassie = "00000003 05 n 01 Lassie 0 001 @i 00000001 n 0000 | a famous dog of films; a collie  \n";

    private readonly string folder = Directory.CreateTempSubdirectory("wordnet").FullName;
    private readonly List<Rejection> rejected = [];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Read_Synset_AsksByExamplesWordsAndHyponyms()
    {
        using var source = Open(Licence + Dog + Puppy + Lassie);

        var dog = All(source).Single(sample => sample.Id == "n00000001");

        Assert.Equal("a member of the genus Canis", dog.Texts["en"]);
        Assert.Equal(["the dog barked all night", "he has two dogs"], dog.Turns.Where(turn => turn.Task == "example").Select(turn => turn.Prompt));
        var below = dog.Turns.Where(turn => turn.Task == "hypernym").ToArray();
        Assert.Equal(["a young dog", "a famous dog of films; a collie"], below.Select(turn => turn.Answer));
        Assert.All(below, turn => Assert.Equal(("dog, domestic dog", 2), (turn.Prompt, turn.AlsoRight.Count)));
        Assert.All(dog.Turns.Where(turn => turn.Task == "part"), turn => Assert.Empty(turn.Prompt.Split(' ').Except(["member", "genus", "Canis"])));
    }

    [Fact]
    public void Read_Negatives_AreWrongAnswersThatAreNotRight()
    {
        File.WriteAllText(Path.Combine(folder, "wrong.jsonl"), """{"prompt": "dog, domestic dog", "right": [], "wrong": ["a young dog", "a cat"]}""");

        using var source = Open(Dog + Puppy, "wrong.jsonl");

        Assert.Equal(["a cat"], All(source).SelectMany(sample => sample.Turns).Single(turn => turn.Task == "hypernym").Wrong);
        Assert.All(All(source).SelectMany(sample => sample.Turns).Where(turn => turn.Task == "example"), turn => Assert.Empty(turn.Wrong));
    }

    [Fact]
    public void Read_Found_AsksOnlyForWhatTheSearchBrings()
    {
        File.WriteAllText(Path.Combine(folder, "wrong.jsonl"), """{"prompt": "dog, domestic dog", "right": ["a young dog"], "wrong": ["a cat"]}""");

        using var source = Open(Dog + Puppy, "wrong.jsonl", found: true);

        var turns = All(source).SelectMany(sample => sample.Turns).ToList();
        Assert.Equal(["a young dog"], turns.Where(turn => turn.Prompt == "dog, domestic dog").Select(turn => turn.Answer)); // and not its own gloss
        Assert.DoesNotContain(turns, turn => turn.Task == "example"); // they were never searched for
    }

    [Fact]
    public void Open_BadLines_AreRejectedWithTheirPlace()
    {
        using var source = Open(Dog + "00000005 what is this\n");

        Assert.Equal("data.noun:2", Assert.Single(rejected).Id);
        Assert.Single(All(source));
    }

    [Fact]
    public void Open_NoFile_SaysWhatToInstall() =>
        Assert.Contains("apt-get install wordnet-base", Assert.Throws<UserErrorException>(() => new WordNetSource(new WordNetOptions(Folder: "none")).Open(Surroundings.Source(folder: folder))).Message, StringComparison.Ordinal);

    [Fact]
    public void Open_BadNegatives_NamesTheLine()
    {
        File.WriteAllText(Path.Combine(folder, "wrong.jsonl"), "{\"prompt\": \"a\", \"right\": [], \"wrong\": []}\nno\n");

        Assert.Contains("wrong.jsonl:2: is no line", Assert.Throws<UserErrorException>(() => Open(Dog, "wrong.jsonl")).Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Open_DebiansFiles_Has82115Synsets()
    {
        Skip.IfNot(File.Exists("/usr/share/wordnet/data.noun"), "wordnet-base is not installed");

        using var source = new WordNetSource(new WordNetOptions()).Open(Surroundings.Source(folder: folder));

        Assert.Equal(82_115, source.Splits.Sum(source.Count));
    }

    private ISource Open(string nouns, string? negatives = null, bool found = false)
    {
        File.WriteAllText(Path.Combine(folder, "data.noun"), nouns);
        return new WordNetSource(new WordNetOptions(Folder: ".", Negatives: negatives, Found: found)).Open(new SourceContext(Surroundings.Build, Surroundings.Format, folder, rejected.Add));
    }

    private static List<Sample> All(ISource source) => [.. source.Splits.SelectMany(split => Enumerable.Range(0, source.Count(split)).Select(index => source.Read(split, index)))];
}
