using System.Text.Json;
using PluginHost.Config;
using PluginHost.Config.Json;

namespace PluginHost.Serving.Documents;

/// <summary>OpenAI's filters over the attributes of files. A file without an attribute differs from every value of it: it passes <c>ne</c> and <c>nin</c>, and nothing else.</summary>
internal abstract record AttributeFilter
{
    private const int MostFilters = 256;
    private const int MostValues = 1000;
    private static readonly string[] Comparisons = ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"];

    /// <summary>Whether a file with these attributes passes.</summary>
    public abstract bool Passes(IReadOnlyDictionary<string, JsonElement> attributes);

    /// <summary>Reads <c>filters</c> of a search.</summary>
    /// <param name="node">The filter.</param>
    /// <param name="errors">Where mistakes go.</param>
    /// <returns>Null: there are mistakes.</returns>
    public static AttributeFilter? Read(JsonElementNode node, List<ConfigError> errors)
    {
        var left = MostFilters;
        return Read(node, errors, ref left);
    }

    private static AttributeFilter? Read(JsonElementNode node, List<ConfigError> errors, ref int left)
    {
        if (--left == 0) errors.Add(new ConfigError(node.Location, $"there are more than {MostFilters} filters"));
        if (left <= 0) return null;
        var reader = new JsonObjectReader(node, "a filter", errors);
        var type = reader.RequiredText("type");
        if (type is "and" or "or")
        {
            var all = new List<AttributeFilter>();
            reader.Required("filters");
            foreach (var item in reader.Items("filters") ?? [])
                if (Read(item, errors, ref left) is { } inner) all.Add(inner);
            reader.End();
            return new Compound(type == "and", all);
        }
        var (key, value) = (reader.RequiredText("key"), reader.Required("value"));
        reader.End();
        if (type is not null && !Comparisons.Contains(type)) errors.Add(new ConfigError(node.Find("type")!.Location, $"'{type}' is no filter{NearestName.Suggestion(type, [.. Comparisons, "and", "or"])}; filters are {string.Join(", ", Comparisons)}, and, or"));
        else if (type is not null && key is not null && value is not null && ReadValues(type, value, errors) is { } values) return new Comparison(type, key, values);
        return null;
    }

    private static List<JsonElement>? ReadValues(string type, JsonElementNode value, List<ConfigError> errors)
    {
        var wanted = type switch
        {
            "in" or "nin" => "a list of texts, numbers or truth values",
            "eq" or "ne" => "a text, a number or a truth value",
            _ => "a number",
        };
        var many = type is "in" or "nin";
        IReadOnlyList<JsonElementNode> items = many ? value.Items : [value];
        bool Fits(JsonElementNode item) => type is "eq" or "ne" or "in" or "nin" ? item.Kind is JsonKind.String or JsonKind.Number or JsonKind.Boolean : item.Kind == JsonKind.Number;
        if ((many && value.Kind != JsonKind.Array) || items.Count > MostValues || !items.All(Fits))
        {
            errors.Add(new ConfigError(value.Location, $"the value of '{type}' is {wanted}{(items.Count > MostValues ? $", {MostValues} at most" : "")}, not {JsonObjectReader.Describe(value)}"));
            return null;
        }
        return [.. items.Select(FileAttributes.Element)];
    }

    private sealed record Compound(bool All, IReadOnlyList<AttributeFilter> Filters) : AttributeFilter
    {
        public override bool Passes(IReadOnlyDictionary<string, JsonElement> attributes) => All ? Filters.All(filter => filter.Passes(attributes)) : Filters.Any(filter => filter.Passes(attributes));
    }

    private sealed record Comparison(string Type, string Key, IReadOnlyList<JsonElement> Values) : AttributeFilter
    {
        public override bool Passes(IReadOnlyDictionary<string, JsonElement> attributes)
        {
            var there = attributes.TryGetValue(Key, out var own);
            return Type switch
            {
                "eq" or "in" => there && Values.Any(value => Same(own, value)),
                "ne" or "nin" => !there || !Values.Any(value => Same(own, value)),
                _ => there && own.ValueKind == JsonValueKind.Number && Compare(own.GetDouble().CompareTo(Values[0].GetDouble())),
            };
        }

        private bool Compare(int order) => Type switch
        {
            "gt" => order > 0,
            "gte" => order >= 0,
            "lt" => order < 0,
            _ => order <= 0,
        };

        private static bool Same(JsonElement one, JsonElement other) => one.ValueKind == other.ValueKind && one.ValueKind switch
        {
            JsonValueKind.Number => one.GetDouble() == other.GetDouble(),
            JsonValueKind.String => one.GetString() == other.GetString(),
            _ => true,
        };
    }
}
