using System.Globalization;

namespace PluginHost.Config.Json;

/// <summary>Reads the properties of one object, collects what is wrong, and at the end names the properties nobody asked for.</summary>
public sealed class JsonObjectReader
{
    private const int MostUnknown = 10;

    private readonly JsonElementNode node;
    private readonly List<ConfigError> errors;
    private readonly HashSet<string> known = [];
    private readonly string what;

    /// <param name="node">The object; another kind of value is an error and reads as an empty object.</param>
    /// <param name="what">What it describes, for messages: <c>a stage</c>.</param>
    /// <param name="errors">Where errors go.</param>
    public JsonObjectReader(JsonElementNode node, string what, List<ConfigError> errors)
    {
        this.node = node;
        this.errors = errors;
        this.what = what;
        if (node.Kind != JsonKind.Object) errors.Add(new ConfigError(node.Location, $"{what} is an object, not {Describe(node)}"));
    }

    /// <summary>Where the object begins.</summary>
    public JsonLocation Location => node.Location;

    public JsonElementNode? Value(string name)
    {
        known.Add(name);
        var value = node.Find(name);
        return value?.Kind == JsonKind.Null ? null : value;
    }

    public JsonElementNode? Required(string name)
    {
        var value = Value(name);
        if (value is null && node.Kind == JsonKind.Object) errors.Add(new ConfigError(node.Location, $"{what} needs '{name}'"));
        return value;
    }

    public string? Text(string name)
    {
        var value = Value(name);
        if (value is null) return null;
        if (value.Kind == JsonKind.String && value.Text.Length > 0) return value.Text;
        errors.Add(new ConfigError(value.Location, $"'{name}' is a text that is not empty, not {Describe(value)}"));
        return null;
    }

    /// <summary>A text that has to be there.</summary>
    public string? RequiredText(string name) => Required(name) is null ? null : Text(name);

    /// <summary>A text that may be empty.</summary>
    public string? AnyText(string name)
    {
        var value = Value(name);
        if (value is null or { Kind: JsonKind.String }) return value?.Text;
        errors.Add(new ConfigError(value.Location, $"'{name}' is a text, not {Describe(value)}"));
        return null;
    }

    public long Integer(string name, long missing, long minimum, long maximum)
    {
        var value = Value(name);
        if (value is null) return missing;
        if (!value.TryGetInt64(out var number))
            errors.Add(new ConfigError(value.Location, $"'{name}' is a whole number, not {Describe(value)}"));
        else if (number < minimum || number > maximum)
            errors.Add(new ConfigError(value.Location, $"'{name}' is {number}, outside its range {minimum} to {maximum}"));
        else
            return number;
        return missing;
    }

    public double Number(string name, double missing, double minimum, double maximum)
    {
        var value = Value(name);
        if (value is null) return missing;
        if (!value.TryGetDouble(out var number))
            errors.Add(new ConfigError(value.Location, $"'{name}' is a number, not {Describe(value)}"));
        else if (number < minimum || number > maximum)
            errors.Add(new ConfigError(value.Location, string.Create(CultureInfo.InvariantCulture, $"'{name}' is {number}, outside its range {minimum} to {maximum}")));
        else
            return number;
        return missing;
    }

    public bool Flag(string name, bool missing)
    {
        var value = Value(name);
        if (value is null) return missing;
        if (value.Kind == JsonKind.Boolean) return value.Text == "true";
        errors.Add(new ConfigError(value.Location, $"'{name}' is true or false, not {Describe(value)}"));
        return missing;
    }

    /// <summary>A time with its unit: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>1h</c>.</summary>
    public TimeSpan Duration(string name, TimeSpan missing)
    {
        if (Text(name) is not { } text) return missing;
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        var unit = text[digits..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            _ => TimeSpan.Zero,
        };
        if (digits is > 0 and < 7 && unit > TimeSpan.Zero) return int.Parse(text[..digits], CultureInfo.InvariantCulture) * unit;
        errors.Add(new ConfigError(node.Find(name)!.Location, $"'{name}' is a time with its unit, such as 500ms, 30s, 5m or 1h, not \"{text}\""));
        return missing;
    }

    public IReadOnlyList<string> Texts(string name, IReadOnlyList<string> missing)
    {
        var items = Items(name);
        if (items is null) return missing;
        var texts = new List<string>();
        foreach (var item in items)
        {
            if (item.Kind == JsonKind.String && item.Text.Length > 0) texts.Add(item.Text);
            else errors.Add(new ConfigError(item.Location, $"'{name}' is a list of texts; this is {Describe(item)}"));
        }
        return texts;
    }

    /// <summary>Items of an array, or null when the property is missing or not an array.</summary>
    public IReadOnlyList<JsonElementNode>? Items(string name)
    {
        var value = Value(name);
        if (value is null) return null;
        if (value.Kind == JsonKind.Array) return value.Items;
        errors.Add(new ConfigError(value.Location, $"'{name}' is a list in [ ], not {Describe(value)}"));
        return null;
    }

    /// <summary>Members of an object, or nothing when the property is missing or not an object.</summary>
    public IReadOnlyList<JsonMember> Members(string name)
    {
        var value = Value(name);
        if (value is null || value.Kind == JsonKind.Object) return value?.Members ?? [];
        errors.Add(new ConfigError(value.Location, $"'{name}' is an object in {{ }}, not {Describe(value)}"));
        return [];
    }

    /// <summary>Reports every property that was not asked for.</summary>
    public void End()
    {
        var unknown = node.Members.Where(member => !known.Contains(member.Name)).ToList();
        foreach (var member in unknown.Take(MostUnknown))
            errors.Add(new ConfigError(member.NameLocation, $"unknown key '{Shortened(member.Name)}' of {what}{NearestName.Suggestion(member.Name, known)}"));
        if (unknown.Count > MostUnknown) errors.Add(new ConfigError(unknown[MostUnknown].NameLocation, $"{unknown.Count - MostUnknown} more unknown keys of {what}"));
    }

    public static string Describe(JsonElementNode node) => node.Kind switch
    {
        JsonKind.Object => "an object",
        JsonKind.Array => "a list",
        JsonKind.String => $"the text \"{Shortened(node.Text)}\"",
        JsonKind.Null => "null",
        _ => Shortened(node.Text),
    };

    private static string Shortened(string text) => text.Length > 40 ? text[..40] + "…" : text;
}
