using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Tools.Schemas;

/// <summary>Holds a value against a schema, within a bounded number of steps.</summary>
internal sealed class SchemaValidation
{
    private const int MostProblems = 10;
    private const int MostSteps = 200_000;

    private int steps;

    /// <summary>What is wrong with a value; empty: nothing.</summary>
    /// <exception cref="UserErrorException">The schema takes too long for this value.</exception>
    public static IReadOnlyList<string> Problems(SchemaNode schema, JsonElement value)
    {
        var problems = new List<string>();
        new SchemaValidation().Check(schema, value, "", problems);
        return problems;
    }

    /// <summary>Whether a value is allowed.</summary>
    public static bool Allows(SchemaNode schema, JsonElement value) => Problems(schema, value).Count == 0;

    private void Check(SchemaNode schema, JsonElement value, string place, List<string> problems)
    {
        if (++steps > MostSteps) throw new UserErrorException("the arguments take too long to check against the tool's schema; send fewer");
        if (problems.Count >= MostProblems) return;
        void Say(string problem) => problems.Add($"{(place.Length == 0 ? "the arguments" : $"'{place}'")} {problem}");
        if (schema.Impossible is not null && schema.Types == SchemaTypes.All) Say("is not allowed");
        if ((TypeOf(value) & schema.Types) == 0)
        {
            Say($"{(place.Length == 0 ? "are" : "is")} {Describe(value)}, not {Names(schema.Types)}");
            return;
        }
        if (schema.Choices is { } choices && !choices.Any(choice => JsonElement.DeepEquals(choice, value))) Say($"is {Describe(value)}, none of {string.Join(", ", choices.Take(20).Select(choice => choice.GetRawText()))}");
        switch (value.ValueKind)
        {
            case JsonValueKind.Number: Number(schema, value, Say); break;
            case JsonValueKind.String: Text(schema, value.GetString()!, Say); break;
            case JsonValueKind.Array: List(schema, value, place, Say, problems); break;
            case JsonValueKind.Object: Object(schema, value, place, Say, problems); break;
        }
        foreach (var other in schema.All) Check(other, value, place, problems);
        if (schema.Any is { } any && Count(any, value, 1) == 0) Say("satisfies none of the schemas of 'anyOf'");
        if (schema.One is { } one && Count(one, value, 2) is not 1 and var count) Say($"satisfies {(count == 0 ? "none" : "more than one")} of the schemas of 'oneOf'");
        if (schema.Not is { } not && Count([not], value, 1) == 1) Say("is what 'not' excludes");
    }

    private int Count(IReadOnlyList<SchemaNode> schemas, JsonElement value, int enough)
    {
        var count = 0;
        foreach (var schema in schemas)
        {
            var problems = new List<string>();
            Check(schema, value, "", problems);
            if (problems.Count == 0 && ++count == enough) break;
        }
        return count;
    }

    private static void Number(SchemaNode schema, JsonElement value, Action<string> say)
    {
        if (!value.TryGetDouble(out var number) || !double.IsFinite(number)) say("is too large a number");
        else if (number < schema.Minimum || number <= schema.AboveMinimum) say(string.Create(CultureInfo.InvariantCulture, $"is {value.GetRawText()}, and {(schema.AboveMinimum is { } above ? $"more than {above}" : $"{schema.Minimum} or more")} is asked for"));
        else if (number > schema.Maximum || number >= schema.BelowMaximum) say(string.Create(CultureInfo.InvariantCulture, $"is {value.GetRawText()}, and {(schema.BelowMaximum is { } below ? $"less than {below}" : $"{schema.Maximum} or less")} is asked for"));
        else if (schema.MultipleOf is { } unit && (!value.TryGetDecimal(out var exact) || exact % unit != 0)) say(string.Create(CultureInfo.InvariantCulture, $"is {value.GetRawText()}, no multiple of {unit}"));
    }

    private static void Text(SchemaNode schema, string text, Action<string> say)
    {
        var length = schema.MinLength > 0 || schema.MaxLength is not null ? text.EnumerateRunes().Count() : 0;
        if (length < schema.MinLength) say($"has {length} characters; {schema.MinLength} are the least");
        if (length > schema.MaxLength) say($"has {length} characters; {schema.MaxLength} are the most");
        if (schema.Pattern is not { } pattern) return;
        try
        {
            if (!pattern.IsMatch(text)) say($"does not match the pattern {pattern}");
        }
        catch (RegexMatchTimeoutException)
        {
            say("takes too long to match against its pattern");
        }
    }

    private void List(SchemaNode schema, JsonElement value, string place, Action<string> say, List<string> problems)
    {
        var count = value.GetArrayLength();
        if (count < schema.MinItems) say($"has {count} items; {schema.MinItems} are the least");
        if (count > schema.MaxItems) say($"has {count} items; {schema.MaxItems} are the most");
        if (schema.UniqueItems && HasTwins([.. value.EnumerateArray()])) say("has two items that are alike");
        if (schema.Items is not { } items) return;
        var i = 0;
        foreach (var item in value.EnumerateArray()) Check(items, item, $"{place}[{i++}]", problems);
    }

    private bool HasTwins(JsonElement[] items)
    {
        if ((steps += items.Length * items.Length / 2) > MostSteps) throw new UserErrorException("the arguments have too many items to tell whether two are alike; send fewer");
        for (var i = 0; i < items.Length; i++)
            for (var j = 0; j < i; j++)
                if (JsonElement.DeepEquals(items[i], items[j])) return true;
        return false;
    }

    private void Object(SchemaNode schema, JsonElement value, string place, Action<string> say, List<string> problems)
    {
        foreach (var name in schema.Required)
            if (!value.TryGetProperty(name, out _)) say($"{(place.Length == 0 ? "need" : "needs")} '{name}'");
        foreach (var member in value.EnumerateObject())
        {
            var inner = place.Length == 0 ? member.Name : $"{place}.{member.Name}";
            if (schema.Properties.TryGetValue(member.Name, out var property)) Check(property, member.Value, inner, problems);
            else if (schema.Others is { Impossible: not null } && problems.Count < MostProblems) problems.Add($"there is no argument '{inner}'{NearestName.Suggestion(member.Name, schema.Properties.Keys)}");
            else if (schema.Others is { } others) Check(others, member.Value, inner, problems);
        }
    }

    private static SchemaTypes TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => SchemaTypes.Null,
        JsonValueKind.True or JsonValueKind.False => SchemaTypes.Boolean,
        JsonValueKind.Number => value.TryGetDouble(out var number) && Math.Floor(number) == number && double.IsFinite(number) ? SchemaTypes.Integer : SchemaTypes.Number,
        JsonValueKind.String => SchemaTypes.String,
        JsonValueKind.Array => SchemaTypes.Array,
        JsonValueKind.Object => SchemaTypes.Object,
        _ => SchemaTypes.None,
    };

    private static string Names(SchemaTypes types) => string.Join(" or ", new[] { SchemaTypes.String, SchemaTypes.Number, SchemaTypes.Integer, SchemaTypes.Boolean, SchemaTypes.Array, SchemaTypes.Object, SchemaTypes.Null }
        .Where(type => types.HasFlag(type) && (type != SchemaTypes.Integer || !types.HasFlag(SchemaTypes.Number))).Select(type => type switch
        {
            SchemaTypes.String => "a text",
            SchemaTypes.Number => "a number",
            SchemaTypes.Integer => "a whole number",
            SchemaTypes.Boolean => "true or false",
            SchemaTypes.Array => "a list",
            SchemaTypes.Object => "an object",
            _ => "null",
        }));

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        _ => value.GetRawText() is { Length: > 60 } text ? text[..60] + "…" : value.GetRawText(),
    };
}
