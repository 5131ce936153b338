using System.Globalization;
using System.Text;

namespace Tokenizer.HuggingFace.Jinja;

/// <summary>Functions, filters, tests and methods that chat templates call.</summary>
internal static class JinjaBuiltins
{
    private const int LongestRange = 100_000;

    public static IEnumerable<KeyValuePair<string, object?>> Globals { get; } = new Dictionary<string, object?>
    {
        ["raise_exception"] = (Callable)((rendering, arguments, _) => throw rendering.Error(arguments.Count > 0 ? JinjaValues.Text(arguments[0], rendering) : "the template refuses this conversation")),
        ["strftime_now"] = (Callable)((rendering, arguments, _) => Time(arguments.Count > 0 ? JinjaValues.Text(arguments[0], rendering) : "%Y-%m-%d")),
        ["namespace"] = (Callable)((_, _, named) =>
        {
            var result = new Namespace();
            foreach (var (name, value) in named) result[name] = value;
            return result;
        }),
        ["dict"] = (Callable)((_, _, named) =>
        {
            var result = new OrderedDictionary<object, object?>();
            foreach (var (name, value) in named) result[name] = value;
            return result;
        }),
        ["range"] = (Callable)Range,
    };

    public static IReadOnlyDictionary<string, Callable> Filters { get; } = new Dictionary<string, Callable>
    {
        ["abs"] = (rendering, values, _) => values[0] is long whole ? Math.Abs(whole) : (object)Math.Abs(Real(values[0], rendering)),
        ["capitalize"] = (rendering, values, _) => Capitalized(Text(values[0], rendering)),
        ["count"] = (rendering, values, _) => Count(values[0], rendering),
        ["default"] = Default,
        ["d"] = Default,
        ["dictsort"] = (rendering, values, _) => Pairs(values[0], rendering).OrderBy(pair => JinjaValues.Text(((List<object?>)pair!)[0], rendering), StringComparer.OrdinalIgnoreCase).ToList(),
        ["first"] = (rendering, values, _) => JinjaValues.Items(values[0], rendering) is { Count: > 0 } items ? items[0] : new Undefined("first"),
        ["float"] = (_, values, _) => values[0] is string text ? double.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : 0.0 : JinjaValues.Number(values[0]),
        ["indent"] = Indent,
        ["int"] = (_, values, _) => values[0] is string text ? long.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : 0 : (long)JinjaValues.Number(values[0]),
        ["items"] = (rendering, values, _) => Pairs(values[0], rendering),
        ["join"] = (rendering, values, named) => Joined(values.Count > 1 ? JinjaValues.Text(values[1], rendering) : "", Mapped(values[0], named, rendering), rendering),
        ["last"] = (rendering, values, _) => JinjaValues.Items(values[0], rendering) is { Count: > 0 } items ? items[^1] : new Undefined("last"),
        ["length"] = (rendering, values, _) => Count(values[0], rendering),
        ["list"] = (rendering, values, _) => JinjaValues.Items(values[0], rendering).ToList(),
        ["lower"] = (rendering, values, _) => Text(values[0], rendering).ToLowerInvariant(),
        ["map"] = Map,
        ["max"] = (rendering, values, _) => Sorted(values[0], rendering).LastOrDefault(new Undefined("max")),
        ["min"] = (rendering, values, _) => Sorted(values[0], rendering).FirstOrDefault(new Undefined("min")),
        ["reject"] = (rendering, values, _) => Chosen(values, rendering, attribute: false, wanted: false),
        ["rejectattr"] = (rendering, values, _) => Chosen(values, rendering, attribute: true, wanted: false),
        ["replace"] = (rendering, values, _) => Replaced(values, rendering),
        ["reverse"] = (rendering, values, _) => values[0] is string text ? string.Concat(text.EnumerateRunes().Reverse()) : JinjaValues.Items(values[0], rendering).Reverse().ToList(),
        ["round"] = (rendering, values, _) => Math.Round(Real(values[0], rendering), values.Count > 1 ? (int)Math.Clamp(JinjaValues.Whole(values[1], rendering), 0, 15) : 0, MidpointRounding.ToEven),
        ["safe"] = (_, values, _) => values[0],
        ["select"] = (rendering, values, _) => Chosen(values, rendering, attribute: false, wanted: true),
        ["selectattr"] = (rendering, values, _) => Chosen(values, rendering, attribute: true, wanted: true),
        ["sort"] = (rendering, values, _) => Sorted(values[0], rendering),
        ["string"] = (rendering, values, _) => JinjaValues.Text(values[0], rendering),
        ["sum"] = (rendering, values, _) => JinjaValues.Items(values[0], rendering).Aggregate((object)0L, (sum, value) => JinjaValues.Calculate("+", sum, value, rendering)),
        ["title"] = (rendering, values, _) => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(Text(values[0], rendering).ToLowerInvariant()),
        ["tojson"] = (rendering, values, named) => JinjaValues.Json(values[0], (named.TryGetValue("indent", out var indent) ? indent : values.Count > 1 ? values[1] : null) is long width ? (int)Math.Clamp(width, 0, 40) : null, rendering),
        ["trim"] = (rendering, values, _) => values[0] is Undefined ? "" : Text(values[0], rendering).Trim(),
        ["unique"] = (rendering, values, _) => Distinct(JinjaValues.Items(values[0], rendering), rendering),
        ["upper"] = (rendering, values, _) => Text(values[0], rendering).ToUpperInvariant(),
    };

    public static IReadOnlyDictionary<string, Func<object?, object?, Rendering, bool>> Tests { get; } = new Dictionary<string, Func<object?, object?, Rendering, bool>>
    {
        ["=="] = Alike,
        ["boolean"] = (value, _, _) => value is bool,
        ["callable"] = (value, _, _) => value is Callable,
        ["defined"] = (value, _, _) => value is not Undefined,
        ["divisibleby"] = (value, other, rendering) => JinjaValues.Whole(other, rendering) is not 0 and var divisor && JinjaValues.Whole(value, rendering) % divisor == 0,
        ["eq"] = Alike,
        ["equalto"] = Alike,
        ["even"] = (value, _, rendering) => JinjaValues.Whole(value, rendering) % 2 == 0,
        ["false"] = (value, _, _) => value is false,
        ["float"] = (value, _, _) => value is double,
        ["in"] = (value, other, rendering) => JinjaValues.Holds(other, value, rendering),
        ["integer"] = (value, _, _) => value is long,
        ["iterable"] = (value, _, _) => value is string or List<object?> or OrderedDictionary<object, object?>,
        ["mapping"] = (value, _, _) => value is OrderedDictionary<object, object?>,
        ["ne"] = (value, other, rendering) => !Alike(value, other, rendering),
        ["none"] = (value, _, _) => value is null,
        ["number"] = (value, _, _) => value is long or double or bool,
        ["odd"] = (value, _, rendering) => JinjaValues.Whole(value, rendering) % 2 != 0,
        ["sameas"] = (value, other, _) => ReferenceEquals(value, other) || (value is bool a && other is bool b && a == b),
        ["sequence"] = (value, _, _) => value is string or List<object?> or OrderedDictionary<object, object?>,
        ["string"] = (value, _, _) => value is string,
        ["true"] = (value, _, _) => value is true,
        ["undefined"] = (value, _, _) => value is Undefined,
    };

    /// <summary>value.name(...)</summary>
    public static object? Call(object? value, string name, Rendering rendering, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named) => (value, name) switch
    {
        (string text, _) => Method(text, name, rendering, arguments),
        (OrderedDictionary<object, object?> map, "items") => Pairs(map, rendering),
        (OrderedDictionary<object, object?> map, "keys") => map.Keys.ToList<object?>(),
        (OrderedDictionary<object, object?> map, "values") => map.Values.ToList(),
        (OrderedDictionary<object, object?> map, "get") when arguments.Count > 0 => arguments[0] is { } key && map.TryGetValue(key, out var found) ? found : arguments.ElementAtOrDefault(1),
        (List<object?> list, "index") when arguments.Count == 1 => list.FindIndex(item => JinjaValues.Same(item, arguments[0], rendering)) is >= 0 and var index ? (long)index : throw rendering.Error("a list does not hold what is looked for"),
        _ => JinjaValues.Attribute(value, name, rendering) is Callable callable ? callable(rendering, arguments, named) : throw rendering.Error($"{JinjaValues.Kind(value)} has no method '{name}'"),
    };

    private static object? Method(string text, string name, Rendering rendering, IReadOnlyList<object?> arguments)
    {
        var first = arguments.ElementAtOrDefault(0);
        return name switch
        {
            "strip" => Stripped(text, first, true, true),
            "lstrip" => Stripped(text, first, true, false),
            "rstrip" => Stripped(text, first, false, true),
            "upper" => text.ToUpperInvariant(),
            "lower" => text.ToLowerInvariant(),
            "title" => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(text.ToLowerInvariant()),
            "capitalize" => Capitalized(text),
            "startswith" => Any(first).Any(part => text.StartsWith(Text(part, rendering), StringComparison.Ordinal)),
            "endswith" => Any(first).Any(part => text.EndsWith(Text(part, rendering), StringComparison.Ordinal)),
            "split" => Split(text, first is null ? null : Text(first, rendering), arguments.Count > 1 ? JinjaValues.Whole(arguments[1], rendering) : -1, rendering),
            "replace" => Replaced([text, .. arguments], rendering),
            "join" => Joined(text, JinjaValues.Items(first, rendering), rendering),
            "find" => (long)text.IndexOf(Text(first, rendering), StringComparison.Ordinal),
            "count" => (long)(Text(first, rendering) is { Length: > 0 } part ? text.Split(part).Length - 1 : text.Length + 1),
            "removeprefix" => Text(first, rendering) is var prefix && text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text,
            "removesuffix" => Text(first, rendering) is var suffix && text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text,
            "isdigit" => text.Length > 0 && text.All(char.IsDigit),
            "splitlines" => text.Split('\n').ToList<object?>(),
            _ => throw rendering.Error($"a text has no method '{name}'"),
        };

        static IEnumerable<object?> Any(object? value) => value is List<object?> several ? several : [value];
    }

    private static string Stripped(string text, object? letters, bool start, bool end)
    {
        var set = letters is string given ? given.ToCharArray() : null;  // null: blanks
        if (start) text = text.TrimStart(set);
        return end ? text.TrimEnd(set) : text;
    }

    private static List<object?> Split(string text, string? separator, long most, Rendering rendering)
    {
        if (separator is null) return [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)];
        if (separator.Length == 0) throw rendering.Error("a text cannot be split at nothing");
        return [.. text.Split(separator, most < 0 ? int.MaxValue : (int)Math.Min(most + 1, int.MaxValue))];
    }

    private static string Replaced(IReadOnlyList<object?> values, Rendering rendering)
    {
        if (values.Count < 3) throw rendering.Error("replace needs what to replace and by what");
        var (text, from, to) = (Text(values[0], rendering), Text(values[1], rendering), Text(values[2], rendering));
        if (from.Length == 0) throw rendering.Error("nothing cannot be replaced");
        if (text.Length * (long)Math.Max(1, to.Length) > 50_000_000) throw rendering.Error("a text would become too long");
        return text.Replace(from, to, StringComparison.Ordinal);
    }

    private static bool Alike(object? value, object? other, Rendering rendering) => JinjaValues.Same(value, other, rendering);

    // Many references to one long text make a longer one.
    private static string Joined(string separator, IEnumerable<object?> parts, Rendering rendering)
    {
        var (result, first) = (new StringBuilder(), true);
        foreach (var part in parts)
        {
            var text = JinjaValues.Text(part, rendering);
            rendering.Spend(separator.Length + text.Length);
            if (!first) result.Append(separator);
            first = false;
            result.Append(text);
        }
        return result.ToString();
    }

    private static string Text(object? value, Rendering rendering) => rendering.Counted(value) as string ?? throw rendering.Error($"{JinjaValues.Kind(value)} stands where a text is wanted");

    private static double Real(object? value, Rendering rendering) => value is long or double or bool ? JinjaValues.Number(value) : throw rendering.Error($"{JinjaValues.Kind(value)} stands where a number is wanted");

    private static string Capitalized(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    private static object? Count(object? value, Rendering rendering) => value switch
    {
        OrderedDictionary<object, object?> map => (long)map.Count,
        _ => (long)JinjaValues.Items(value, rendering).Count,
    };

    private static object? Default(Rendering rendering, IReadOnlyList<object?> values, IReadOnlyDictionary<string, object?> named)
    {
        var whenFalse = JinjaValues.Truth(named.TryGetValue("boolean", out var flag) ? flag : values.ElementAtOrDefault(2));
        return values[0] is Undefined || (whenFalse && !JinjaValues.Truth(values[0])) ? values.Count > 1 ? values[1] : "" : values[0];
    }

    private static object? Indent(Rendering rendering, IReadOnlyList<object?> values, IReadOnlyDictionary<string, object?> named)
    {
        var width = (named.TryGetValue("width", out var given) ? given : values.ElementAtOrDefault(1)) switch { null => 4, string text => -text.Length - 1, var number => Math.Clamp(JinjaValues.Whole(number, rendering), 0, 100) };
        var blanks = width < 0 ? (string)values[1]! : new string(' ', (int)width);
        var first = JinjaValues.Truth(named.TryGetValue("first", out var also) ? also : values.ElementAtOrDefault(2));
        var empty = JinjaValues.Truth(named.TryGetValue("blank", out var blank) ? blank : values.ElementAtOrDefault(3));
        var lines = Text(values[0], rendering).Split('\n');
        return string.Join('\n', lines.Select((line, i) => (i == 0 && !first) || (i > 0 && line.Length == 0 && !empty) ? line : blanks + line));
    }

    private static List<object?> Pairs(object? value, Rendering rendering) => value switch
    {
        OrderedDictionary<object, object?> map => [.. map.Select(item => (object?)new List<object?> { item.Key, item.Value })],
        Undefined => [],
        _ => throw rendering.Error($"{JinjaValues.Kind(value)} has no pairs of keys and values"),
    };

    private static IEnumerable<object?> Mapped(object? value, IReadOnlyDictionary<string, object?> named, Rendering rendering) =>
        named.TryGetValue("attribute", out var attribute) ? JinjaValues.Items(value, rendering).Select(item => Path(item, JinjaValues.Text(attribute, rendering), rendering)) : JinjaValues.Items(value, rendering);

    private static object? Map(Rendering rendering, IReadOnlyList<object?> values, IReadOnlyDictionary<string, object?> named)
    {
        if (values.Count < 2) return Mapped(values[0], named, rendering).ToList();
        var name = JinjaValues.Text(values[1], rendering);
        if (!Filters.TryGetValue(name, out var filter)) throw rendering.Error($"there is no filter '{name}'");
        return JinjaValues.Items(values[0], rendering).Select(item => filter(rendering, [item, .. values.Skip(2)], named)).ToList();
    }

    private static object? Path(object? value, string path, Rendering rendering) => path.Split('.').Aggregate(value, (item, name) => JinjaValues.Attribute(item, name, rendering));

    // Arguments: the values, then (attribute and) a test with what it compares to.
    private static List<object?> Chosen(IReadOnlyList<object?> values, Rendering rendering, bool attribute, bool wanted)
    {
        var name = attribute ? JinjaValues.Text(values.ElementAtOrDefault(1), rendering) : null;
        var (said, other) = (values.ElementAtOrDefault(attribute ? 2 : 1), values.ElementAtOrDefault(attribute ? 3 : 2));
        Func<object?, object?, Rendering, bool>? test = null;
        if (said is not null && !Tests.TryGetValue(JinjaValues.Text(said, rendering), out test)) throw rendering.Error($"there is no test '{JinjaValues.Text(said, rendering)}'");
        return [.. JinjaValues.Items(values[0], rendering).Where(item =>
        {
            var value = name is null ? item : Path(item, name, rendering);
            return (test?.Invoke(value, other, rendering) ?? JinjaValues.Truth(value)) == wanted;
        })];
    }

    private static List<object?> Sorted(object? value, Rendering rendering)
    {
        var items = JinjaValues.Items(value, rendering);
        foreach (var (a, b) in items.Zip(items.Skip(1))) _ = JinjaValues.Order(a, b, rendering);
        return [.. items.Order(Comparer<object?>.Create((a, b) => JinjaValues.Order(a, b, rendering)))];
    }

    private static List<object?> Distinct(IReadOnlyList<object?> items, Rendering rendering)
    {
        var result = new List<object?>();
        foreach (var item in items)
            if (!result.Exists(other => JinjaValues.Same(other, item, rendering))) result.Add(item);
        return result;
    }

    private static object? Range(Rendering rendering, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named)
    {
        var numbers = arguments.Select(argument => JinjaValues.Whole(argument, rendering)).ToArray();
        var (start, stop, step) = numbers switch
        {
            [var end] => (0L, end, 1L),
            [var begin, var end] => (begin, end, 1L),
            [var begin, var end, var by] when by != 0 => (begin, end, by),
            _ => throw rendering.Error("range takes an end, or a start, an end and a step other than 0"),
        };
        var result = new List<object?>();
        for (var i = start; step > 0 ? i < stop : i > stop; i += step)
        {
            if (result.Count == LongestRange) throw rendering.Error($"range goes on for more than {LongestRange} numbers");
            result.Add(i);
        }
        return result;
    }

    // The directives that published templates use.
    private static string Time(string format)
    {
        var (now, result) = (DateTime.Now, new StringBuilder());
        for (var i = 0; i < format.Length; i++)
            if (format[i] != '%' || i + 1 == format.Length) result.Append(format[i]);
            else result.Append(format[++i] switch
            {
                'Y' => now.ToString("yyyy", CultureInfo.InvariantCulture),
                'y' => now.ToString("yy", CultureInfo.InvariantCulture),
                'm' => now.ToString("MM", CultureInfo.InvariantCulture),
                'd' => now.ToString("dd", CultureInfo.InvariantCulture),
                'B' => now.ToString("MMMM", CultureInfo.InvariantCulture),
                'b' => now.ToString("MMM", CultureInfo.InvariantCulture),
                'A' => now.ToString("dddd", CultureInfo.InvariantCulture),
                'a' => now.ToString("ddd", CultureInfo.InvariantCulture),
                'H' => now.ToString("HH", CultureInfo.InvariantCulture),
                'M' => now.ToString("mm", CultureInfo.InvariantCulture),
                'S' => now.ToString("ss", CultureInfo.InvariantCulture),
                var other => other.ToString(),
            });
        return result.ToString();
    }
}
