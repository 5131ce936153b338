using System.Text;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace PluginHost.Retrieval.Documents;

/// <summary>Documents as passages: text, Markdown, HTML, PDF and pictures, by the file's extension.</summary>
public static class DocumentReader
{
    /// <summary>Bytes of a document at most.</summary>
    public const long MostBytes = 256L << 20;

    /// <summary>How long the reading of a document may take.</summary>
    public static readonly TimeSpan MostTime = TimeSpan.FromSeconds(60);

    private static readonly string[] Plain = [".txt", ".text", ".log", ".csv", ".json", ".xml", ".yaml", ".yml"];
    private static readonly string[] Markdown = [".md", ".markdown"];
    private static readonly string[] Html = [".html", ".htm", ".xhtml"];

    /// <summary>Extensions of texts that are read, in lower case with the dot.</summary>
    public static IReadOnlyList<string> Texts { get; } = [.. Plain, .. Markdown, .. Html, ".pdf"];

    /// <summary>Extensions of pictures that are read, in lower case with the dot, and their media types.</summary>
    public static IReadOnlyDictionary<string, string> Pictures { get; } = new Dictionary<string, string> { [".png"] = "image/png", [".jpg"] = "image/jpeg", [".jpeg"] = "image/jpeg", [".webp"] = "image/webp" };

    /// <summary>Extensions of all that is read.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [.. Texts, .. Pictures.Keys];

    /// <summary>A picture as an encoder reads it.</summary>
    /// <exception cref="UserErrorException">By its name it is none.</exception>
    public static DataContent Picture(string name, byte[] content) => Pictures.GetValueOrDefault(Path.GetExtension(name).ToLowerInvariant()) is { } type
        ? new DataContent(content, type)
        : throw new UserErrorException($"{name}: is no picture that is read; these are: {string.Join(", ", Pictures.Keys)}");

    /// <summary>The passages of a document.</summary>
    /// <param name="name">Its name; the extension says what it is.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="UserErrorException">It cannot be read; the message says why.</exception>
    public static IReadOnlyList<Passage> Read(string name, byte[] content, CancellationToken cancellation) => Read(name, content, MostTime, cancellation);

    /// <param name="name">As above.</param>
    /// <param name="content">As above.</param>
    /// <param name="time">How long it may take.</param>
    /// <param name="cancellation">As above.</param>
    internal static IReadOnlyList<Passage> Read(string name, byte[] content, TimeSpan time, CancellationToken cancellation)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        late.CancelAfter(time);
        try
        {
            return ReadAs(name, content, late.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new UserErrorException($"{name}: takes longer than {time.TotalSeconds:0.###} s to read; it is left out: cut it into smaller documents");
        }
    }

    private static IReadOnlyList<Passage> ReadAs(string name, byte[] content, CancellationToken cancellation)
    {
        if (content.LongLength > MostBytes) throw new UserErrorException($"{name}: has {content.LongLength >> 20} MB, and a document may have {MostBytes >> 20}");
        var extension = Path.GetExtension(name).ToLowerInvariant();
        if (Plain.Contains(extension)) return [new Passage("", Text(name, content))];
        if (Markdown.Contains(extension)) return MarkdownDocument.Read(Text(name, content));
        if (Html.Contains(extension)) return HtmlDocument.Read(name, content, cancellation);
        if (extension == ".pdf") return PdfFile.Read(name, content, cancellation);
        if (Pictures.ContainsKey(extension)) return [new Passage("", Words(name)) { Picture = Picture(name, content) }];
        throw new UserErrorException($"{name}: '{extension}' is no kind of document that is read; these are: {string.Join(", ", Extensions)}");
    }

    // animals/snow_owl.png -> animals snow owl
    private static string Words(string name) => string.Join(' ', Path.ChangeExtension(name, null).Split(['/', '\\', '_', '-', '.', ' '], StringSplitOptions.RemoveEmptyEntries));

    private static string Text(string name, byte[] content)
    {
        if (content.Contains((byte)0)) throw new UserErrorException($"{name}: is no text: it holds bytes of zero");
        // A byte order mark is none of the text; bytes that are no UTF-8 become U+FFFD.
        return Encoding.UTF8.GetString(content.AsSpan(content.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0)).ReplaceLineEndings("\n");
    }
}
