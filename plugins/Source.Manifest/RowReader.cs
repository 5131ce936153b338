using System.Text.Json;
using PluginHost.Sdk;

namespace Source.Manifest;

/// <summary>The fields of one row, each checked; columns it does not know are no business of ours.</summary>
internal sealed class RowReader(JsonElement row, string folder, ManifestOptions options)
{
    private static readonly string[] Modalities = ["text", "image", "audio", "video"];

    public string? Id() => String("id") is { } id ? (id.Length > 0 ? id : throw new BadSampleException("'id' is empty")) : null;

    public string? String(string name) => Field(row, name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? Text(value)
        : throw new BadSampleException($"'{name}' is {value.ValueKind}, not a string");

    /// <summary>An existing file; relative paths start at the manifest's folder.</summary>
    public MediaFile? File(string name)
    {
        if (String(name) is not { } path) return null;
        return new MediaFile(Existing(name, path));
    }

    /// <summary>Subtitle files by language: one in the default language, or an object of languages.</summary>
    public IReadOnlyDictionary<string, string> Subtitles()
    {
        const string name = "subtitles_path";
        if (Field(row, name) is not { ValueKind: JsonValueKind.Object } field) return File(name) is { } file ? new Dictionary<string, string> { [options.Language] = file.Path } : [];
        return field.EnumerateObject().ToDictionary(language => language.Name, language => language.Value.ValueKind == JsonValueKind.String && Text(language.Value) is var path
            ? Existing($"{name}.{language.Name}", path)
            : throw new BadSampleException($"'{name}.{language.Name}' is {language.Value.ValueKind}, not a path"));
    }

    private string Existing(string name, string path)
    {
        if (path.Length == 0 || path.Contains('\0')) throw new BadSampleException($"'{name}' is no path");
        var full = Path.GetFullPath(path, folder);
        return System.IO.File.Exists(full) ? full : throw new BadSampleException($"'{name}': the file '{full}' is missing");
    }

    /// <summary>A string in the default language, or an object of languages.</summary>
    public IReadOnlyDictionary<string, string> Texts()
    {
        var texts = new Dictionary<string, string>();
        if (Field(row, "text") is not { } field) return texts;
        if (field.ValueKind == JsonValueKind.String) Add(options.Language, field);
        else if (field.ValueKind == JsonValueKind.Object) foreach (var language in field.EnumerateObject()) Add(language.Name, language.Value);
        else throw new BadSampleException($"'text' is {field.ValueKind}, neither a string nor an object of languages");
        return texts;

        void Add(string language, JsonElement value)
        {
            if (value.ValueKind != JsonValueKind.String) throw new BadSampleException($"'text.{language}' is {value.ValueKind}, not a string");
            var text = Text(value);
            if (text.Length > options.LongestText) throw new BadSampleException($"'text.{language}' has {text.Length:N0} characters, more than the {options.LongestText:N0} of 'longestText'");
            if (!string.IsNullOrWhiteSpace(text)) texts[language] = text;
        }
    }

    public IReadOnlyDictionary<string, double> Weights()
    {
        var weights = new Dictionary<string, double>();
        if (Field(row, "modality_weights") is not { } field) return weights;
        if (field.ValueKind != JsonValueKind.Object) throw new BadSampleException($"'modality_weights' is {field.ValueKind}, not an object");
        foreach (var weight in field.EnumerateObject())
        {
            if (!Modalities.Contains(weight.Name)) throw new BadSampleException($"'modality_weights' names '{weight.Name}'; it can name {string.Join(", ", Modalities)}");
            if (weight.Value.ValueKind != JsonValueKind.Number || !weight.Value.TryGetDouble(out var value) || !double.IsFinite(value) || value < 0)
                throw new BadSampleException($"'modality_weights.{weight.Name}' is {weight.Value.GetRawText()}, not a number of 0 or more");
            weights[weight.Name] = value;
        }
        return weights;
    }

    /// <summary>The modalities that a row brings besides its text: what its turns need unless they say otherwise.</summary>
    public static IReadOnlyList<string> Media(MediaFile? image, MediaFile? audio, MediaFile? video)
    {
        var media = new List<string>();
        if (image is not null) media.Add("image");
        if (video is not null) media.Add("video");
        if (audio is not null) media.Add("audio");
        return media;
    }

    /// <summary>The row's own turns; null when it has none.</summary>
    public IReadOnlyList<Turn>? Turns(IReadOnlyList<string> media)
    {
        if (Field(row, "turns") is not { } field) return null;
        if (field.ValueKind != JsonValueKind.Array) throw new BadSampleException($"'turns' is {field.ValueKind}, not an array");
        return [.. field.EnumerateArray().Select((turn, i) => new Turn(Part(turn, i, "task"), Part(turn, i, "prompt"), Part(turn, i, "answer"), media))];
    }

    private string Part(JsonElement turn, int index, string name)
    {
        if (turn.ValueKind != JsonValueKind.Object || Field(turn, name) is not { ValueKind: JsonValueKind.String } value)
            throw new BadSampleException($"'turns[{index}].{name}' is missing or no string; a turn has task, prompt and answer");
        var text = Text(value);
        return text.Length <= options.LongestText ? text
            : throw new BadSampleException($"'turns[{index}].{name}' has {text.Length:N0} characters, more than the {options.LongestText:N0} of 'longestText'");
    }

    private static JsonElement? Field(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string Text(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new BadSampleException("a string holds an escape of half a character (a lone surrogate)");
        }
    }
}
