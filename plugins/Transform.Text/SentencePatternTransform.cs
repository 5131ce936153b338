// Says a caption within another sentence ('a picture of …', '这是…'), and a prompt in another tone ('please: …').
using System.ComponentModel;
using PluginHost.Sdk;

namespace Transform.Text;

/// <summary>Settings of <c>transform.sentence-pattern</c>.</summary>
/// <param name="Captions">Patterns of captions: a language, a colon, and a sentence with <c>{text}</c> in it.</param>
/// <param name="Prompts">Patterns of prompts: a sentence with <c>{text}</c> in it.</param>
public sealed record SentencePatternOptions(
    [property: Description("Patterns of captions: a language, a colon, and a sentence with {text} in it, such as \"en: a picture of {text}\"; by default a few in English, French and Chinese. Captions in other languages stay.")] string[]? Captions = null,
    [property: Description("Patterns of prompts, each with {text} in it; by default none, and prompts stay.")] string[]? Prompts = null);

/// <summary>Sentence patterns.</summary>
[Plugin("transform.sentence-pattern", "Says captions and prompts within other sentences.")]
public sealed class SentencePatternTransform : ITransform
{
    private const string Place = "{text}";

    private static readonly string[] Usual =
    [
        "en: a picture of {text}", "en: this is {text}", "en: here you see {text}", "en: {text}, in a picture",
        "fr: une image de {text}", "fr: voici {text}", "fr: on voit {text}", "fr: ici : {text}",
        "zh: 这是{text}", "zh: 图片里是{text}", "zh: 图中有{text}", "zh: {text}的图片",
    ];

    private readonly ILookup<string, string> captions;
    private readonly string[] prompts;

    /// <param name="options">The patterns.</param>
    /// <exception cref="UserErrorException">A pattern lacks its language or the place of the text.</exception>
    public SentencePatternTransform(SentencePatternOptions options)
    {
        captions = (options.Captions ?? Usual).Select(Pattern).ToLookup(pattern => pattern.Language, pattern => pattern.Sentence);
        prompts = [.. (options.Prompts ?? []).Select(Checked)];
    }

    /// <inheritdoc/>
    public Sample Apply(Sample sample, Random random) =>
        TextChange.Apply(sample, (language, text) => Said(captions[language].ToArray(), text, random), prompts.Length > 0 ? text => Said(prompts, text, random) : null);

    private static string Said(string[] patterns, string text, Random random) =>
        patterns.Length == 0 || string.IsNullOrWhiteSpace(text) ? text : patterns[random.Next(patterns.Length)].Replace(Place, text, StringComparison.Ordinal);

    private static (string Language, string Sentence) Pattern(string pattern)
    {
        var colon = pattern.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1) throw Wrong(pattern, "does not begin with a language and a colon");
        return (pattern[..colon].Trim(), Checked(pattern[(colon + 1)..].TrimStart()));
    }

    private static string Checked(string pattern) => pattern.Contains(Place, StringComparison.Ordinal) ? pattern : throw Wrong(pattern, $"has no {Place}");

    private static UserErrorException Wrong(string pattern, string what) =>
        new($"transform.sentence-pattern: the pattern '{pattern}' {what}; captions take such as \"en: a picture of {{text}}\", prompts such as \"please: {{text}}\".");
}
