using System.Security.Cryptography;
using System.Text.Json;
using PluginHost.Sdk;

namespace Source.WordNet;

/// <summary>Wrong answers that a search gives to prompts.</summary>
/// <param name="Wrong">By prompt.</param>
/// <param name="Fingerprint">Of the file; empty without one.</param>
internal sealed record NegativeFile(IReadOnlyDictionary<string, string[]> Wrong, string Fingerprint)
{
    /// <exception cref="UserErrorException">It cannot be read, or a line of it is something else.</exception>
    public static NegativeFile Read(string file)
    {
        try
        {
            var wrong = new Dictionary<string, string[]>();
            var number = 0;
            foreach (var line in File.ReadLines(file))
            {
                number++;
                try
                {
                    using var json = JsonDocument.Parse(line);
                    wrong[json.RootElement.GetProperty("prompt").GetString()!] = [.. json.RootElement.GetProperty("wrong").EnumerateArray().Select(item => item.GetString()!)];
                }
                catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
                {
                    throw new UserErrorException($"source.wordnet: {file}:{number}: is no line {{\"prompt\": \"...\", \"wrong\": [\"...\"]}}");
                }
            }
            return new NegativeFile(wrong, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"source.wordnet: 'negatives' names {file}, which cannot be read: {error.Message}");
        }
    }
}
