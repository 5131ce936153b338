using PluginHost.Sdk;

namespace PluginHost.Config.Tests;

public sealed class ModelReferenceTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("from").FullName;

    public ModelReferenceTests()
    {
        Directory.CreateDirectory(Path.Combine(folder, "model"));
        File.WriteAllText(Path.Combine(folder, "model", "project.json"), """
            { "name": "model", "data": { "tokenizer": { "use": "tokenizer.t", "settings": { "vocabulary": 300 } } },
              "graph": { "decoder": { "use": "decoder.d", "in": { "ids": "sample.text" }, "settings": { "width": 32, "layers": 2 } } } }
            """);
        File.WriteAllText(Path.Combine(folder, "model", "tokenizer.json"), "{}");
    }

    public void Dispose() => Directory.Delete(folder, true);

    private ProjectConfig Read(string graph, string tokenizer = "{ \"use\": \"tokenizer.t\" }")
    {
        var file = Path.Combine(folder, "project.json");
        File.WriteAllText(file, $$"""{ "data": { "use": "source.s", "tokenizer": {{tokenizer}} }, "graph": {{graph}} }""");
        return ProjectFile.Read(file, [], (name, from) => Directory.Exists(Path.Combine(from, name)) ? Path.Combine(from, name) : throw new UserErrorException($"There is no run '{name}'."));
    }

    [Fact]
    public void From_OfANode_BringsPluginAndSettingsThatTheProjectMayOverride()
    {
        var node = Read("""{ "language": { "use": "decoder.d", "from": "model", "settings": { "layers": 1, "dropout": 0.1 } }, "decoder": { "from": "model" } }""").Graph;
        Assert.Equal(Path.Combine(folder, "model"), node[0].From);
        Assert.Equal(["width=32", "layers=1", "dropout=0.1"], node[0].Use.Settings!.Members.Select(member => $"{member.Name}={member.Value.Text}"));
        Assert.Equal(("decoder.d", 2), (node[1].Use.Id, node[1].Use.Settings!.Members.Count));
        Assert.Equal("decoder", ModelOrigin.NodeFor(Path.Combine(folder, "model", "project.json"), "language", "decoder.d"));
    }

    [Fact]
    public void From_OfTheTokenizer_BringsItsSettings()
    {
        var data = Read("""{ "n": "encoder.e" }""", """{ "use": "tokenizer.t", "from": "model" }""").Data;
        Assert.Equal(Path.Combine(folder, "model"), data.TokenizerFrom);
        Assert.Equal("300", data.Tokenizer!.Settings!.Find("vocabulary")!.Text);
    }

    [Theory]
    [InlineData("""{ "decoder": { "use": "decoder.d", "from": "modle" } }""", "$.graph.decoder.from: 'from': There is no run 'modle'.")]
    [InlineData("""{ "decoder": { "use": "encoder.e", "from": "model" } }""", "the model 'model' has no node of that name or of encoder.e; it has 'decoder' (decoder.d)")]
    public void From_ThatLeadsNowhere_SaysWhereAndWhy(string graph, string expected) =>
        Assert.Contains(expected, Assert.Throws<ConfigException>(() => Read(graph)).Message, StringComparison.Ordinal);

    [Fact]
    public void From_OfATokenizerThatIsNotThere_IsRefused()
    {
        File.Delete(Path.Combine(folder, "model", "tokenizer.json"));
        Assert.Contains("'from' of the tokenizer: there is no tokenizer.json in", Assert.Throws<ConfigException>(() => Read("""{ "n": "encoder.e" }""", """{ "use": "tokenizer.t", "from": "model" }""")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_WithoutASource_IsEnoughForAModelThatIsOnlyAsked()
    {
        Assert.Empty(ProjectFile.Read(Path.Combine(folder, "model", "project.json"), []).Data.Sources);
        Assert.Throws<ConfigException>(() => ProjectFile.Read(Path.Combine(folder, "model", "project.json"), ["stages=[{\"objectives\":{\"o\":\"objective.o\"}}]"]));
    }
}
