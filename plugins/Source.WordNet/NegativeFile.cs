using System.Security.Cryptography;
using System.Text.Json;
using PluginHost.Sdk;

namespace Source.WordNet;

/// <summary>What a search brings for prompts.</summary>
/// <param name="Found">By prompt.</param>
/// <param name="Fingerprint">Of the file; empty without one.</param>
internal sealed record NegativeFile(IReadOnlyDictionary<string, FoundAnswers> Found, string Fingerprint)
{
    /// <exception cref="UserErrorException">It cannot be read, or a line of it is something else.</exception>
    public static NegativeFile Read(string file)
    {
        try
        {
            var found = new Dictionary<string, FoundAnswers>();
            var number = 0;
            foreach (var line in File.ReadLines(file))
            {
                number++;
                try
                {
                    using var json = JsonDocument.Parse(line);
                    HashSet<string> Texts(string name) => [.. json.RootElement.GetProperty(name).EnumerateArray().Select(item => item.GetString()!)];
                    found[json.RootElement.GetProperty("prompt").GetString()!] = new FoundAnswers(Texts("right"), Texts("wrong"));
                }
                catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
                {
                    throw new UserErrorException($"source.wordnet: {file}:{number}: is no line {{\"prompt\": \"...\", \"right\": [\"...\"], \"wrong\": [\"...\"]}}");
                }
            }
            return new NegativeFile(found, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"source.wordnet: 'negatives' names {file}, which cannot be read: {error.Message}");
        }
    }
}

/// <summary>What a search brings for one prompt.</summary>
/// <param name="Right">What answers it.</param>
/// <param name="Wrong">What does not.</param>
internal sealed record FoundAnswers(IReadOnlySet<string> Right, IReadOnlySet<string> Wrong);
