using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ADRaffy.ENSNormalize;

namespace Tokenizer.HuggingFace;

/// <summary>Something that is done to a text before it is cut. <c>first</c>: whether the text begins here, with no added token before it.</summary>
internal delegate string TextStep(string text, bool first);

/// <summary>How a file's <c>normalizer</c> and <c>pre_tokenizer</c> change and cut text.</summary>
internal sealed class Cutting
{
    /// <summary>GPT-2's pattern, which <c>ByteLevel</c> stands for.</summary>
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private static readonly string[] Normalizers = ["NFC", "NFD", "Lowercase", "Prepend", "Replace", "Sequence"];
    private static readonly string[] PreTokenizers = ["ByteLevel", "Digits", "Metaspace", "Sequence", "Split"];

    private readonly List<TextStep> steps = [];
    private readonly List<Splitter> splitters = [];

    public IReadOnlyList<TextStep> Steps => steps;

    public IReadOnlyList<Splitter> Splitters => splitters;

    public bool ByteLevel { get; private set; }

    public bool PrependsBlank { get; private set; }

    public void AddNormalizer(JsonElement json)
    {
        foreach (var part in TokenizerFile.Flatten(json))
        {
            switch (TokenizerFile.Text(part, "type"))
            {
                case "NFC": steps.Add((text, _) => Composition.Compose(text)); break;
                case "NFD": steps.Add((text, _) => Ascii.IsValid(text) ? text : ENSNormalize.NF.NFD(text)); break;
                case "Lowercase": steps.Add((text, _) => text.ToLowerInvariant()); break;
                case "Prepend":
                    var before = TokenizerFile.Text(part, "prepend") ?? "";
                    PrependsBlank = true;
                    steps.Add((text, _) => text.Length == 0 ? text : before + text);
                    break;
                case "Replace": AddReplace(part); break;
                case var type: throw Unknown("normalizer", type, Normalizers);
            }
        }
    }

    public void AddPreTokenizer(JsonElement json)
    {
        foreach (var part in TokenizerFile.Flatten(json))
        {
            switch (TokenizerFile.Text(part, "type"))
            {
                case "ByteLevel":
                    ByteLevel = true;
                    if (TokenizerFile.Flag(part, "add_prefix_space", otherwise: true))
                        steps.Add((text, _) => text.Length > 0 && !char.IsWhiteSpace(text[0]) ? " " + text : text);
                    if (TokenizerFile.Flag(part, "use_regex", otherwise: true)) splitters.Add(new Splitter(Gpt2, Splitting.Isolated));
                    break;
                case "Digits": splitters.Add(new Splitter(TokenizerFile.Flag(part, "individual_digits") ? @"\p{N}" : @"\p{N}+", Splitting.Isolated)); break;
                case "Metaspace": AddMetaspace(part); break;
                case "Split": AddSplit(part); break;
                case var type: throw Unknown("pre-tokenizer", type, PreTokenizers);
            }
        }
    }

    private void AddReplace(JsonElement part)
    {
        var (pattern, literal) = Pattern(part, "normalizer");
        var content = TokenizerFile.Text(part, "content") ?? "";
        if (literal)
        {
            steps.Add((text, _) => text.Replace(pattern, content, StringComparison.Ordinal));
            return;
        }
        var regex = Splitter.Compile(pattern);
        var escaped = content.Replace("$", "$$", StringComparison.Ordinal);
        steps.Add((text, _) => regex.Replace(text, escaped));
    }

    private void AddMetaspace(JsonElement part)
    {
        var mark = TokenizerFile.Text(part, "replacement") ?? "▁";
        var scheme = TokenizerFile.Text(part, "prepend_scheme") ?? (TokenizerFile.Flag(part, "add_prefix_space", otherwise: true) ? "always" : "never");
        PrependsBlank = scheme != "never";
        steps.Add((text, first) =>
        {
            var marked = text.Replace(" ", mark, StringComparison.Ordinal);
            return marked.Length == 0 || scheme == "never" || (scheme == "first" && !first) || marked.StartsWith(mark, StringComparison.Ordinal) ? marked : mark + marked;
        });
        if (TokenizerFile.Flag(part, "split", otherwise: true)) splitters.Add(new Splitter(Regex.Escape(mark), Splitting.MergedWithNext));
    }

    private void AddSplit(JsonElement part)
    {
        if (TokenizerFile.Flag(part, "invert")) throw new FormatException("a 'Split' in it is inverted, which is not read");
        var (pattern, literal) = Pattern(part, "pre-tokenizer");
        var behavior = TokenizerFile.Text(part, "behavior");
        var splitting = behavior switch
        {
            "Isolated" => Splitting.Isolated,
            "Removed" => Splitting.Removed,
            "MergedWithPrevious" => Splitting.MergedWithPrevious,
            "MergedWithNext" => Splitting.MergedWithNext,
            _ => throw new FormatException($"a 'Split' in it has the behavior '{behavior}'; read are Isolated, Removed, MergedWithPrevious and MergedWithNext"),
        };
        splitters.Add(new Splitter(literal ? Regex.Escape(pattern) : pattern, splitting));
    }

    private static (string Pattern, bool Literal) Pattern(JsonElement part, string what)
    {
        if (part.TryGetProperty("pattern", out var pattern))
        {
            if (pattern.ValueKind == JsonValueKind.String) return (pattern.GetString()!, true);
            if (TokenizerFile.Text(pattern, "Regex") is { } regex) return (regex, false);
            if (TokenizerFile.Text(pattern, "String") is { } text) return (text, true);
        }
        throw new FormatException($"a {what} in it has no pattern");
    }

    private static FormatException Unknown(string what, string? type, string[] known) =>
        new($"its {what} '{type}' is unknown; read are {string.Join(", ", known)}");
}
