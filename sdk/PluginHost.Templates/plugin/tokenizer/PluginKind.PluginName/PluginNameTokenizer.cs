// One id for each byte of UTF-8, behind the special tokens: any text has an encoding, and nothing is learnt.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json;
using PluginHost.Sdk;

namespace PluginKind.PluginName;

/// <summary>Bytes as tokens.</summary>
[Plugin("plugin-kind.plugin-name", "One token for each byte of the text.")]
public sealed class PluginNameTokenizer(PluginNameOptions options) : ITokenizerPlugin
{
    /// <inheritdoc/>
    public ITokenizer Train(IEnumerable<string> corpus, BuildContext context) => new Bytes(options.Vocabulary);

    /// <inheritdoc/>
    public ITokenizer Load(string json, BuildContext context)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.GetProperty("model").GetProperty("type").GetString() == Bytes.Model) return new Bytes(options.Vocabulary);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            // said below
        }
        throw new UserErrorException("this is no tokenizer of plugin-kind.plugin-name: model.type is not 'plugin-name'");
    }
}

/// <summary>Settings of <see cref="PluginNameTokenizer"/>.</summary>
public sealed record PluginNameOptions(
    [property: Range(263, 200_000), Description("Number of ids: 7 special tokens, 256 bytes; more stay unused.")] int Vocabulary = 263);

internal sealed class Bytes(int vocabulary) : ITokenizer
{
    public const string Model = "plugin-name";

    private static readonly int First = SpecialTokens.All.Count;

    public int Vocabulary => vocabulary;

    public IReadOnlyList<int> Encode(string text) => [.. Encoding.UTF8.GetBytes(text).Select(value => value + First)];

    public string Decode(IReadOnlyList<int> ids) =>
        Encoding.UTF8.GetString([.. ids.Where(id => id >= First && id < First + 256).Select(id => (byte)(id - First))]);

    ReadOnlyMemory<byte> ITokenizer.Bytes(int id) => id >= First && id < First + 256 ? new[] { (byte)(id - First) } : default;

    public int Special(string token)
    {
        for (var id = 0; id < First; id++)
            if (SpecialTokens.All[id] == token) return id;
        throw new ArgumentException($"'{token}' is no special token", nameof(token));
    }

    public string ToJson() => $$"""{ "model": { "type": "{{Model}}" } }""";
}
