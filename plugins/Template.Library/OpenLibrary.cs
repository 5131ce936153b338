using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using PluginHost.Sdk;

namespace Template.Library;

/// <summary>
/// Renders and parses. In a slot's value a <c>&lt;</c> that begins one of the library's tags is written <c>&amp;lt;</c>, and an <c>&amp;</c> that begins
/// such a thing <c>&amp;amp;</c>: so a typed tag is text, and a rendered text has one reading.
/// </summary>
internal sealed class OpenLibrary : ITemplateLibrary
{
    private static readonly Regex Escaped = new("&((?:amp;)*)lt;", RegexOptions.CultureInvariant);
    private static readonly Regex Ampersand = new("&(?=(?:amp;)*lt;)", RegexOptions.CultureInvariant);
    private static readonly string[] MediaTags = ["image", "audio", "video"];

    private readonly Dictionary<string, TypeFile> files;
    private readonly Regex typedTag;

    public OpenLibrary(IEnumerable<TypeFile> types)
    {
        files = types.OrderBy(file => file.Type.Id, StringComparer.Ordinal).ToDictionary(file => file.Type.Id);
        Types = [.. files.Values.Select(file => file.Type)];
        var tags = files.Values.SelectMany(file => file.Wordings.Values).SelectMany(wordings => wordings).SelectMany(wording => wording.Tags).Concat(MediaTags).Distinct().Order(StringComparer.Ordinal);
        typedTag = new Regex($"<(?=/?(?:{string.Join('|', tags.Select(Regex.Escape))})>)", RegexOptions.CultureInvariant);
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', files.Values.SelectMany(Examples)))));
    }

    public IReadOnlyList<InstructionType> Types { get; }

    public string Fingerprint { get; }

    public RenderedInstruction Render(Instruction instruction, int phrasing)
    {
        var (type, wording) = Find(instruction.Type, instruction.Language, phrasing);
        var slots = instruction.Slots;
        foreach (var name in slots.Keys.Where(name => !type.Slots.Contains(name) && !type.Media.Contains(name)))
            throw new UserErrorException(MediaTags.Contains(name)
                ? $"template '{type.Id}': the instruction brings {slots.Keys.Count(MediaTags.Contains)} media ({string.Join(", ", slots.Keys.Where(MediaTags.Contains))}), but the template holds {type.Media.Count}{(type.Media.Count == 0 ? "" : $" ({string.Join(", ", type.Media)})")}"
                : $"template '{type.Id}' has no slot '{name}'{Nearest.Suggestion(name, type.Slots)}");
        foreach (var name in type.Slots.Where(name => !slots.ContainsKey(name)))
            throw new UserErrorException($"template '{type.Id}' needs a value for its slot '{name}'; given: {(slots.Count == 0 ? "none" : string.Join(", ", slots.Keys))}");
        return wording.Render(name => Escape(slots.GetValueOrDefault(name, "")), slots[type.Answer]);
    }

    public IReadOnlyDictionary<string, string>? Parse(string type, string language, int phrasing, string text) =>
        Find(type, language, phrasing).Wording.Parse(text)?.ToDictionary(slot => slot.Key, slot => Unescape(slot.Value));

    private (InstructionType Type, Wording Wording) Find(string id, string language, int phrasing)
    {
        if (!files.TryGetValue(id, out var file)) throw new UserErrorException($"there is no template '{id}'{Nearest.Suggestion(id, files.Keys)}");
        if (!file.Wordings.TryGetValue(language, out var wordings)) throw new UserErrorException($"template '{id}' has no language '{language}'{Nearest.Suggestion(language, file.Wordings.Keys)}");
        if (phrasing < 0 || phrasing >= wordings.Length) throw new UserErrorException($"template '{id}' in '{language}' has no phrasing {phrasing}; it has 0 to {wordings.Length - 1}");
        return (file.Type, wordings[phrasing]);
    }

    private string Escape(string value) => typedTag.Replace(Ampersand.Replace(value, "&amp;"), "&lt;");

    private static string Unescape(string value) => Escaped.Replace(value, match => match.Groups[1].Length == 0 ? "<" : string.Concat("&", match.Groups[1].Value.AsSpan("amp;".Length), "lt;"));

    private IEnumerable<string> Examples(TypeFile file) =>
        from language in file.Type.Languages
        from phrasing in Enumerable.Range(0, language.Value.Seen + language.Value.Unseen)
        select $"{file.Type.Id} {language.Key} {phrasing >= language.Value.Seen} {Render(new Instruction(file.Type.Id, language.Key, language.Value.Example), phrasing).Text}";
}
