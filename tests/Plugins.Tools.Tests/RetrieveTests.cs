using PluginHost.Sdk;
using Tool.Retrieve;

namespace Plugins.Tools.Tests;

public class RetrieveTests
{
    [Fact]
    public async Task Retrieve_Query_GivesPassagesWithMarks()
    {
        var documents = new Documents();

        var result = await ToolCalls.Open(new RetrieveTool(new RetrieveOptions(Store: "notes")), documents: documents).CallAsync("retrieve", new { query = "boats", count = 2 });

        const string passage = """{"mark":"[MARK]","id":"file-a#3","document":"file-a","source":"a.md","place":"Boats","chunk":3,"score":0.5,"text":"A sloop."}""";
        Assert.Equal($$"""{"passages":[{{passage.Replace("MARK", "1", StringComparison.Ordinal)}},{{passage.Replace("MARK", "2", StringComparison.Ordinal)}}]}""", result);
        Assert.Equal(("notes", "boats", 2), documents.Asked);
    }

    [Fact]
    public async Task Retrieve_WithoutCount_TakesThatOfTheSettings()
    {
        var documents = new Documents();
        await ToolCalls.Open(new RetrieveTool(new RetrieveOptions(Count: 7)), documents: documents).CallAsync("retrieve", new { query = "boats" });
        Assert.Equal((null, "boats", 7), documents.Asked);
    }

    [Fact]
    public void Open_NoDocuments_SaysWhereThereAreSome() =>
        Assert.Contains("'pluginhost serve'", Assert.Throws<UserErrorException>(() => ToolCalls.Open(new RetrieveTool(new RetrieveOptions()))).Message, StringComparison.Ordinal);

    private sealed class Documents : IPassageSearch
    {
        public (string?, string, int) Asked { get; private set; }

        public IReadOnlyList<SourcePassage> Search(string? store, string query, int count)
        {
            Asked = (store, query, count);
            return [.. Enumerable.Repeat(new SourcePassage("a.md", new FoundChunk("file-a", 3, "A sloop.", "Boats", 0.5)), count)];
        }
    }
}
