using System.Text.Json;
using PluginHost.Sdk;

namespace Template.Library;

/// <summary>An instruction type as its file has it.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Wordings">By language, those for training first.</param>
internal sealed record TypeFile(InstructionType Type, IReadOnlyDictionary<string, Wording[]> Wordings)
{
    private static readonly string[] Modalities = ["image", "audio", "video"];
    private static readonly string[] Keys = ["id", "summary", "media", "slots", "answer", "languages"];
    private static readonly string[] LanguageKeys = ["seen", "unseen", "example"];

    /// <exception cref="UserErrorException">The file is wrong.</exception>
    public static TypeFile Read(string file, string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return Read(file, document.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new UserErrorException($"{file}: {error.Message} A type has 'id', 'summary', 'media', 'slots', 'answer' and 'languages', a language 'seen', 'unseen' and 'example'.");
        }
    }

    private static TypeFile Read(string file, JsonElement root)
    {
        Know(file, root, Keys);
        var (id, answer) = (root.GetProperty("id").GetString()!, root.GetProperty("answer").GetString()!);
        var (media, slots) = (Texts(root, "media"), Texts(root, "slots"));
        foreach (var name in media.Where(name => !Modalities.Contains(name))) throw new UserErrorException($"{file}: 'media' names '{name}'{Nearest.Suggestion(name, Modalities)}");
        if (!slots.Contains(answer)) throw new UserErrorException($"{file}: 'answer' names '{answer}', which is no slot{Nearest.Suggestion(answer, slots)}");
        var (wordings, languages) = (new Dictionary<string, Wording[]>(), new Dictionary<string, InstructionWordings>());
        foreach (var language in root.GetProperty("languages").EnumerateObject())
        {
            var place = $"{file}: {id} in '{language.Name}'";
            Know(place, language.Value, LanguageKeys);
            var (seen, unseen) = (Texts(language.Value, "seen"), Texts(language.Value, "unseen"));
            if (seen.Length == 0) throw new UserErrorException($"{place}: 'seen' needs at least one wording");
            var example = language.Value.GetProperty("example").EnumerateObject().ToDictionary(slot => slot.Name, slot => slot.Value.GetString()!);
            foreach (var slot in slots.Concat(media).Where(slot => !example.ContainsKey(slot))) throw new UserErrorException($"{place}: the example has no '{slot}'");
            wordings[language.Name] = [.. seen.Concat(unseen).Select(text => Wording.Read(place, text, media, slots, answer))];
            languages[language.Name] = new InstructionWordings(seen.Length, unseen.Length, example);
        }
        return new TypeFile(new InstructionType(id, root.GetProperty("summary").GetString()!, media, slots, answer, languages), wordings);
    }

    private static string[] Texts(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(item => item.GetString()!)];

    private static void Know(string place, JsonElement element, string[] known)
    {
        foreach (var member in element.EnumerateObject().Where(member => !known.Contains(member.Name)))
            throw new UserErrorException($"{place}: '{member.Name}' is unknown{Nearest.Suggestion(member.Name, known)}");
    }
}
