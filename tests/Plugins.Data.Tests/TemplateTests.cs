using PluginHost.Data;
using PluginHost.Sdk;
using Source.Scenes;
using Template.Library;

namespace Plugins.Data.Tests;

public class TemplateTests
{
    private static readonly ITemplateLibrary Library = Open(new LibraryOptions());

    private static ITemplateLibrary Open(LibraryOptions options, string folder = "") => new LibraryTemplates(options).Open(Surroundings.Build, folder);

    private static RenderedInstruction Render(string type, int phrasing, params (string Slot, string Value)[] slots) =>
        Library.Render(new Instruction(type, "en", slots.ToDictionary(slot => slot.Slot, slot => slot.Value)), phrasing);

    [Fact]
    public void Library_HasTwentyFourTypesAndMore_EachInTwoLanguagesWithUnseenWordings()
    {
        Assert.InRange(Library.Types.Count, 24, 100);
        Assert.All(Library.Types, type =>
        {
            Assert.Equal(["en", "zh"], type.Languages.Keys.Order());
            Assert.All(type.Languages.Values, wordings => Assert.True(wordings.Seen >= 2 && wordings.Unseen >= 1));
        });
    }

    [Fact]
    public void Render_TheThreeForms_AreByteForByte()
    {
        Assert.Equal("<question>q?</question><answer>a</answer>", Render("question-answering", 0, ("query", "q?"), ("response", "a")).Text);
        Assert.Equal("<premise>p</premise><hypothesis>h</hypothesis><label>neutral</label>", Render("inference", 0, ("premise", "p"), ("hypothesis", "h"), ("label", "neutral")).Text);
        Assert.Equal("<image>a/b.png</image><instruction>Describe the picture.</instruction>", Render("image-description", 0, ("image", "a/b.png"), ("response", "")).Text);
    }

    [Fact]
    public void Render_Media_BecomeAPlaceAndTypedTagsStayText()
    {
        var rendered = Render("visual-question", 1, ("image", "x.png"), ("query", "what is <image>?"), ("response", "a </answer> tag"));

        Assert.Equal([new MediaPlace("Look at the picture: ".Length, "image")], rendered.Media);
        Assert.Equal("Look at the picture: <question>what is &lt;image>?</question>", rendered.Prompt);
        Assert.Equal("a </answer> tag", rendered.Answer);
    }

    [Theory]
    [InlineData("counting", "responce", "template 'counting' has no slot 'responce'; did you mean 'response'?")]
    [InlineData("countin", "query", "there is no template 'countin'; did you mean 'counting'?")]
    [InlineData("counting", "audio", "template 'counting': the instruction brings 1 media (audio), but the template holds 1 (image)")]
    public void Render_WhatIsNotThere_NamesTheNearest(string type, string slot, string expected) =>
        Assert.Equal(expected, Assert.Throws<UserErrorException>(() => Render(type, 0, ("response", ""), (slot, "x"))).Message);

    [Fact]
    public void Render_MissingSlot_IsNamed() =>
        Assert.Equal("template 'translation' needs a value for its slot 'text'; given: response", Assert.Throws<UserErrorException>(() => Render("translation", 0, ("response", "x"))).Message);

    [Theory]
    [InlineData("{{ respons }}", "has an unknown slot 'respons'; did you mean 'response'?")]
    [InlineData("no slot", "has the slot 'response' 0 times; it is needed once, as {{ response }}")]
    [InlineData("{{ response }} and on", "a tag such as </text> has to follow the slot 'response'")]
    [InlineData("{{ if }}", "is no Scriban template")]
    public void Open_AWrongWording_NamesFileAndRule(string wording, string expected)
    {
        using var folder = new TemporaryFolder();
        folder.Write("own.json", $$"""{ "id": "own", "summary": "s", "media": [], "slots": ["response"], "answer": "response", "languages": { "en": { "seen": ["{{wording}}"], "unseen": [], "example": { "response": "a" } } } }""");

        var error = Assert.Throws<UserErrorException>(() => Open(new LibraryOptions(Folder: "."), folder.Path));

        Assert.Contains("own.json: own in 'en'", error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void Scenes_WithTemplates_AskEveryTypeButThoseOfVideosAndNothingElseChanges()
    {
        using var plain = new ScenesSource(new ScenesOptions()).Open(Surroundings.Source());
        using var worded = TemplatedSource.Of(new ScenesSource(new ScenesOptions()).Open(Surroundings.Source() with { Instructions = true }), Library);
        var asked = new HashSet<string>();
        for (var i = 0; i < 40; i++)
        {
            var (before, after) = (plain.Read("test", i), worded.Read("test", i));
            Assert.Empty(before.Instructions);
            Assert.Equal(before.Texts, after.Texts);
            Assert.Equal(before.Turns.Select(Words), after.Turns.Take(before.Turns.Count).Select(Words));
            foreach (var turn in after.Turns.Skip(before.Turns.Count)) asked.Add(turn.Task);
            Assert.DoesNotContain(worded.Read("train", i).Turns, turn => turn.Task.StartsWith(TemplatedSource.Unseen, StringComparison.Ordinal));
        }
        foreach (var type in Library.Types.Where(type => !type.Media.Contains("video")))
            foreach (var task in new[] { $"template.{type.Id}.en", $"template.{type.Id}.zh", $"unseen.{type.Id}.en", $"unseen.{type.Id}.zh" }) Assert.Contains(task, asked);

        static (string, string, string) Words(Turn turn) => (turn.Task, turn.Prompt, turn.Answer);
    }
}
