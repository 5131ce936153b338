using System.IO.Compression;
using System.Text;
using PluginHost.Retrieval.Documents;
using PluginHost.Sdk;
using UglyToad.PdfPig.Content;
using UglyToad.PdfPig.Core;
using UglyToad.PdfPig.Fonts.Standard14Fonts;
using UglyToad.PdfPig.Writer;

namespace PluginHost.Retrieval.Tests.Documents;

public class DocumentReaderTests
{
    [Fact]
    public void Read_Markdown_PlacesAreThePathsOfHeadings()
    {
        var passages = Read("a.md", "intro\n# Install\nfirst\n## Linux\napt-get\n```\n# no heading\n```\n# Use\nthen");

        Assert.Equal(["", "Install", "Install > Linux", "Use"], passages.Select(passage => passage.Place));
        Assert.Contains("# no heading", passages[2].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Html_LeavesOutWhatIsNotRead()
    {
        var passages = Read("a.html", "<title>t</title><style>p{}</style><body><nav>menu</nav><h1>Boats</h1><p>A   boat\nfloats.<script>alert(1)</script><p>It &amp; sinks.<h2>Sails</h2><ul><li>big<li>small</ul>");

        Assert.Equal([new Passage("Boats", "Boats\nA boat floats.\nIt & sinks."), new Passage("Boats > Sails", "Sails\nbig\nsmall")], passages);
    }

    [Fact]
    public void Read_HtmlNestedDeeply_IsRead() =>
        Assert.Equal("deep", Read("a.htm", string.Concat(Enumerable.Repeat("<div>", 5_000)) + "deep").Single().Text);

    [Theory]
    [InlineData("<div>")]
    [InlineData("<span><b>")]
    [InlineData("<!-- <a> --><DIV class='a>b'>")]
    [InlineData("<svg><g>")]
    public void Read_HtmlNestedTooDeeply_IsRefusedBeforeATreeIsBuilt(string tags)
    {
        var html = string.Concat(Enumerable.Repeat(tags, 50_000));

        var error = Assert.Throws<UserErrorException>(() => Read("deep.html", html + "end"));

        Assert.Matches("^deep.html: its elements are nested (50000|100000) deep, and 5000 are the most that is read$", error.Message);
    }

    [Theory]
    [InlineData("<li>x")]
    [InlineData("<p>x<br><img src=a>")]
    [InlineData("<p><b>x</b></p>")]
    [InlineData("<script>'<div>'</script>x")]
    [InlineData("<!-- a comment -->x")]
    public void Read_HtmlWithManyElementsBesideEachOther_IsRead(string tags) =>
        Assert.Contains("x", Read("wide.html", "<body>" + string.Concat(Enumerable.Repeat(tags, 20_000))).Single().Text, StringComparison.Ordinal);

    [Fact]
    public void Read_HtmlThatGrowsAsATree_IsRefusedWhenItsTimeIsOver()
    {
        // Each paragraph repeats all the formatting that is open: millions of elements from 100 KB.
        var html = string.Concat(Enumerable.Range(0, 4_000).Select(number => $"<b id={number}>")) + string.Concat(Enumerable.Repeat("<p>x", 10_000));

        var error = Assert.Throws<UserErrorException>(() => DocumentReader.Read("grows.html", Encoding.UTF8.GetBytes(html), TimeSpan.FromMilliseconds(500), CancellationToken.None));

        Assert.StartsWith("grows.html: takes longer than 0.5 s to read", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Cancelled_IsNoRefusal() =>
        Assert.ThrowsAny<OperationCanceledException>(() => DocumentReader.Read("a.html", "<p>x"u8.ToArray(), new CancellationToken(true)));

    [Fact]
    public void Read_PdfWhosePageTreeGrows_IsNotGrown()
    {
        // Twelve levels of ten times the same child: 10^12 pages from 2 KB, in a file that is right in all else.
        List<string> objects = ["<</Type/Catalog/Pages 2 0 R>>", .. Enumerable.Range(2, 12).Select(level => $"<</Type/Pages/Count 10/Kids[{string.Concat(Enumerable.Repeat($"{level + 1} 0 R ", 10))}]>>"), "<</Type/Page/MediaBox[0 0 9 9]>>"];
        var (file, places) = (new StringBuilder("%PDF-1.4\n"), new StringBuilder());
        for (var number = 1; number <= objects.Count; number++)
        {
            places.Append($"{file.Length:0000000000} 00000 n \n");
            file.Append($"{number} 0 obj\n{objects[number - 1]}\nendobj\n");
        }
        file.Append($"xref\n0 {objects.Count + 1}\n0000000000 65535 f \n{places}trailer\n<</Root 1 0 R/Size {objects.Count + 1}>>\nstartxref\n{file.Length}\n%%EOF\n");

        var error = Assert.Throws<UserErrorException>(() => DocumentReader.Read("tree.pdf", Encoding.ASCII.GetBytes(file.ToString()), TimeSpan.FromSeconds(2), CancellationToken.None));

        Assert.StartsWith("tree.pdf: has no text", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Pdf_PlacesArePages()
    {
        var passages = DocumentReader.Read("a.pdf", Pdf("red star", "blue ring"), CancellationToken.None);

        Assert.Equal([new Passage("page 1", "red star"), new Passage("page 2", "blue ring")], passages);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Read_PdfBomb_IsRefusedBeforeItIsParsed(int layers)
    {
        var packed = Zeros(1L << 30);
        for (var layer = 1; layer < layers; layer++) packed = Pack(packed);
        byte[] bomb = [.. "%PDF-1.4\n1 0 obj <</Length 1/Filter/FlateDecode>>\nstream\n"u8, .. packed, .. "\nendstream endobj"u8];

        var error = Assert.Throws<UserErrorException>(() => DocumentReader.Read("bomb.pdf", bomb, CancellationToken.None));

        Assert.Equal("bomb.pdf: unpacks to more than 512 MB; it is no document to be read", error.Message);
    }

    [Theory]
    [InlineData("a.pdf", "no pdf", "a.pdf: is no PDF: it does not begin with %PDF-")]
    [InlineData("a.pdf", "%PDF-1.4 and nothing else", "a.pdf: cannot be read as PDF: *")]
    [InlineData("a.txt", "a\0b", "a.txt: is no text: it holds bytes of zero")]
    [InlineData("a.exe", "x", "a.exe: '.exe' is no kind of document that is read; these are: *")]
    public void Read_Unreadable_SaysWhy(string name, string content, string expected)
    {
        var message = Assert.Throws<UserErrorException>(() => Read(name, content)).Message;

        if (expected.EndsWith('*')) Assert.StartsWith(expected[..^1], message, StringComparison.Ordinal);
        else Assert.Equal(expected, message);
    }

    [Fact]
    public void Read_Text_HasNoByteOrderMark() => Assert.Equal("x\ny", Read("a.txt", "\uFEFFx\r\ny").Single().Text);

    private static IReadOnlyList<Passage> Read(string name, string content) => DocumentReader.Read(name, Encoding.UTF8.GetBytes(content), CancellationToken.None);

    private static byte[] Pdf(params string[] pages)
    {
        var builder = new PdfDocumentBuilder();
        var font = builder.AddStandard14Font(Standard14Font.Helvetica);
        foreach (var text in pages) builder.AddPage(PageSize.A4).AddText(text, 12, new PdfPoint(50, 700), font);
        return builder.Build();
    }

    private static byte[] Zeros(long count)
    {
        using var packed = new MemoryStream();
        using (var stream = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var block = new byte[1 << 20];
            for (var done = 0L; done < count; done += block.Length) stream.Write(block);
        }
        return packed.ToArray();
    }

    private static byte[] Pack(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var stream = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true)) stream.Write(content);
        return packed.ToArray();
    }
}
