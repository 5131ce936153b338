using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PluginHost.Data;
using PluginHost.Retrieval.Documents;
using PluginHost.Sdk;

namespace PluginHost.Retrieval;

/// <summary>A document that has not been read yet, or has been left out.</summary>
/// <param name="Id">Its id: the path as seen from the folder that was named, or the sample's id.</param>
/// <param name="Fingerprint">Of its content and the chunks' length.</param>
/// <param name="Read">Its passages; throws <see cref="UserErrorException"/> when it cannot be read.</param>
public sealed record ListedDocument(string Id, string Fingerprint, Func<CancellationToken, IReadOnlyList<Passage>> Read)
{
    /// <summary>What searches filter by.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();
}

/// <summary>Finds a retrieval's documents.</summary>
public static class DocumentList
{
    /// <summary>The documents of files and folders; of a folder those that can be read, in the order of their paths.</summary>
    /// <param name="paths">Files and folders.</param>
    /// <param name="characters">Characters of a chunk, which decide about the fingerprint.</param>
    /// <param name="pictures">Whether pictures in folders are documents.</param>
    /// <exception cref="UserErrorException">One of them does not exist.</exception>
    public static IEnumerable<ListedDocument> OfFiles(IReadOnlyList<string> paths, int characters, bool pictures)
    {
        var extensions = pictures ? DocumentReader.Extensions : DocumentReader.Texts;
        foreach (var path in paths)
        {
            if (!Directory.Exists(path) && !File.Exists(path)) throw new UserErrorException($"'documents' names {path}, which is neither a file nor a folder");
            IEnumerable<string> files = File.Exists(path) ? [path] : Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
                .Where(file => extensions.Contains(Path.GetExtension(file).ToLowerInvariant())).Order(StringComparer.Ordinal);
            foreach (var file in files) yield return OfFile(file, File.Exists(path) ? Path.GetFileName(file) : Path.GetRelativePath(path, file), characters);
        }
    }

    /// <summary>The texts of a source's samples.</summary>
    /// <param name="source">The source.</param>
    /// <param name="language">Whose texts; a sample without it gives its first other one, or is left out.</param>
    /// <param name="characters">As above.</param>
    public static IEnumerable<ListedDocument> OfSamples(ISource source, string language, int characters)
    {
        foreach (var split in source.Splits)
            for (var index = 0; index < source.Count(split); index++)
                if (Read(source, split, index) is { Texts.Count: > 0 } sample)
                {
                    var text = sample.Texts.GetValueOrDefault(language) ?? sample.Texts.OrderBy(item => item.Key, StringComparer.Ordinal).First().Value;
                    yield return new ListedDocument(sample.Id, Fingerprint(Encoding.UTF8.GetBytes(text), characters), _ => [new Passage("", text)]);
                }
    }

    private static ListedDocument OfFile(string file, string id, int characters)
    {
        // Read twice, rather than all of a folder kept in memory.
        using var stream = File.OpenRead(file);
        return new ListedDocument(id.Replace('\\', '/'), Hex(SHA256.HashData(stream), characters), cancellation => DocumentReader.Read(id, File.ReadAllBytes(file), cancellation))
        {
            Attributes = new Dictionary<string, string> { ["type"] = Path.GetExtension(file).ToLowerInvariant().TrimStart('.') },
        };
    }

    private static Sample? Read(ISource source, string split, int index)
    {
        try
        {
            return source.Read(split, index);
        }
        catch (BadSampleException)
        {
            return null;
        }
    }

    private static string Fingerprint(byte[] content, int characters) => Hex(SHA256.HashData(content), characters);

    private static string Hex(byte[] hash, int characters) => $"{Convert.ToHexStringLower(hash)} {characters.ToString(CultureInfo.InvariantCulture)}";
}
