using PluginHost.Sdk;

namespace PluginHost.Retrieval.Tests;

public sealed class DocumentListTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("documents").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public void OfFiles_AFolder_GivesWhatCanBeReadInOrder()
    {
        foreach (var name in new[] { "b.txt", "deep/a.md", "picture.png", "A.HTML" }) Write(name, "text");

        var documents = DocumentList.OfFiles([folder], 100, pictures: false).ToList();

        Assert.Equal(["A.HTML", "b.txt", "deep/a.md"], documents.Select(document => document.Id));
        Assert.Equal(["html", "txt", "md"], documents.Select(document => document.Attributes["type"]));
        Assert.Equal("text", documents[1].Read(CancellationToken.None).Single().Text);
    }

    [Fact]
    public void OfFiles_WithPictures_GivesThemUnderTheWordsOfTheirNames()
    {
        foreach (var name in new[] { "birds/snow_owl.PNG", "b.txt", "film.mp4" }) Write(name, "text");

        var documents = DocumentList.OfFiles([folder], 100, pictures: true).ToList();

        Assert.Equal(["b.txt", "birds/snow_owl.PNG"], documents.Select(document => document.Id));
        var passage = documents[1].Read(CancellationToken.None).Single();
        Assert.Equal(("birds snow owl", "image/png", 4), (passage.Text, passage.Picture!.MediaType, passage.Picture.Data.Length));
        Assert.Null(documents[0].Read(CancellationToken.None).Single().Picture);
    }

    [Fact]
    public void OfFiles_AFile_HasItsNameAsId() => Assert.Equal(["b.txt"], DocumentList.OfFiles([Write("deep/b.txt", "text")], 100, pictures: false).Select(document => document.Id));

    [Fact]
    public void OfFiles_WhatDoesNotExist_IsNamed()
    {
        var error = Assert.Throws<UserErrorException>(() => DocumentList.OfFiles([Path.Combine(folder, "none")], 100, pictures: false).ToList());

        Assert.Matches("^'documents' names .*none, which is neither a file nor a folder$", error.Message);
    }

    [Fact]
    public void Fingerprint_OtherContentOrChunks_IsAnother()
    {
        string Fingerprint(string content, int characters) => DocumentList.OfFiles([Write("a.txt", content)], characters, pictures: false).Single().Fingerprint;

        Assert.Equal(Fingerprint("one", 100), Fingerprint("one", 100));
        Assert.Equal(3, new[] { Fingerprint("one", 100), Fingerprint("two", 100), Fingerprint("one", 200) }.Distinct().Count());
    }

    [Fact]
    public void OfSamples_AllSplits_GiveTheirTextsInTheLanguage()
    {
        var source = new ListedSamples(new()
        {
            ["train"] = [Sample("1", ("en", "one"), ("de", "eins")), null, new Sample("mute")],
            ["test"] = [Sample("2", ("fr", "deux"), ("es", "dos"))],
        });

        var documents = DocumentList.OfSamples(source, "en", 100).ToList();

        Assert.Equal(["1 one", "2 dos"], documents.Select(document => $"{document.Id} {document.Read(CancellationToken.None).Single().Text}"));
    }

    private static Sample Sample(string id, params (string Language, string Text)[] texts) => new(id) { Texts = texts.ToDictionary(text => text.Language, text => text.Text) };

    private string Write(string name, string content)
    {
        var file = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
        return file;
    }
}
