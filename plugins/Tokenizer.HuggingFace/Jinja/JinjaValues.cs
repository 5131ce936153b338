using System.Globalization;
using System.Text;

namespace Tokenizer.HuggingFace.Jinja;

/// <summary>Values whose fields a template may set.</summary>
internal sealed class Namespace : Dictionary<string, object?>;

/// <summary>What operators do to values, as Python does it.</summary>
internal static class JinjaValues
{
    private const int MostDepth = 100;
    private const string TooDeep = "a value is nested too deeply";

    public static bool Truth(object? value) => value switch
    {
        null or Undefined => false,
        bool truth => truth,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        List<object?> list => list.Count > 0,
        OrderedDictionary<object, object?> map => map.Count > 0,
        _ => true,
    };

    /// <summary>What a value is called in messages.</summary>
    public static string Kind(object? value) => value switch
    {
        null => "none",
        Undefined { Name: var name } => $"'{name}', which is undefined,",
        bool => "a boolean",
        long or double => "a number",
        string => "a text",
        List<object?> => "a list",
        Callable => "a function",
        _ => "a mapping",
    };

    /// <summary>As it is printed.</summary>
    public static string Text(object? value, Rendering rendering)
    {
        if (value is string or Undefined) return value as string ?? "";
        var result = new StringBuilder();
        Written(value, 0);
        return result.ToString();

        void Written(object? item, int depth)
        {
            var text = item switch
            {
                null => "None",
                true => "True",
                false => "False",
                long number => number.ToString(CultureInfo.InvariantCulture),
                double number => Real(number),
                string said => $"'{said.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}'",
                _ when depth > MostDepth => throw rendering.Error(TooDeep),
                _ => "",
            };
            rendering.Spend(text.Length + 1);
            result.Append(text);
            if (item is List<object?> list) Each('[', ']', list, member => Written(member, depth + 1));
            else if (item is OrderedDictionary<object, object?> map)
                Each('{', '}', map, member =>
                {
                    Written(member.Key, depth + 1);
                    result.Append(": ");
                    Written(member.Value, depth + 1);
                });
        }

        void Each<T>(char open, char close, IEnumerable<T> members, Action<T> write)
        {
            var before = open.ToString();
            foreach (var member in members)
            {
                result.Append(before);
                write(member);
                before = ", ";
            }
            result.Append(before == ", " ? "" : before).Append(close);
        }
    }

    private static string Real(double number) => double.IsInteger(number) && Math.Abs(number) < 1e16 ? number.ToString("0.0", CultureInfo.InvariantCulture) : number.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>JSON as Python's <c>json.dumps</c> spaces it; with an indent each value has a line.</summary>
    public static string Json(object? value, int? indent, Rendering rendering)
    {
        var result = new StringBuilder();
        Write(value, 0);
        return result.ToString();

        void Write(object? item, int depth)
        {
            if (depth > MostDepth) throw rendering.Error(TooDeep);
            rendering.Counted(item);
            switch (item)
            {
                case string text:
                    Quote(text);
                    break;
                case List<object?> list:
                    Each('[', ']', list, depth, entry => Write(entry, depth + 1));
                    break;
                case OrderedDictionary<object, object?> map:
                    Each('{', '}', map, depth, entry =>
                    {
                        Quote(Text(entry.Key, rendering));
                        result.Append(": ");
                        Write(entry.Value, depth + 1);
                    });
                    break;
                case null or bool or long or double:
                    result.Append(item switch { null => "null", true => "true", false => "false", _ => Text(item, rendering) });
                    break;
                default:
                    throw rendering.Error($"{Kind(item)} has no JSON");
            }
        }

        void Each<T>(char open, char close, IReadOnlyCollection<T> items, int depth, Action<T> write)
        {
            result.Append(open);
            var first = true;
            foreach (var item in items)
            {
                if (!first) result.Append(indent is null ? ", " : ",");
                first = false;
                Line(depth + 1);
                write(item);
            }
            if (items.Count > 0) Line(depth);
            result.Append(close);
        }

        // Only what JSON forbids is escaped.
        void Quote(string text)
        {
            result.Append('"');
            foreach (var c in text)
                _ = c switch
                {
                    '"' or '\\' => result.Append('\\').Append(c),
                    '\n' => result.Append("\\n"),
                    '\r' => result.Append("\\r"),
                    '\t' => result.Append("\\t"),
                    '\b' => result.Append("\\b"),
                    '\f' => result.Append("\\f"),
                    < ' ' => result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                    _ => result.Append(c),
                };
            result.Append('"');
        }

        void Line(int depth)
        {
            if (indent is { } width) result.Append('\n').Append(' ', width * depth);
        }
    }

    /// <summary>What a loop goes through: members, keys, or letters.</summary>
    public static IReadOnlyList<object?> Items(object? value, Rendering rendering) => rendering.Counted(value) switch
    {
        List<object?> list => list,
        OrderedDictionary<object, object?> map => [.. map.Keys],
        string text => [.. text.EnumerateRunes().Select(rune => rune.ToString())],
        Undefined => [],
        _ => throw rendering.Error($"{Kind(value)} has no members to go through"),
    };

    public static object? Attribute(object? value, string name, Rendering rendering) => value switch
    {
        OrderedDictionary<object, object?> map => map.TryGetValue(name, out var found) ? found : new Undefined(name),
        Namespace space => space.TryGetValue(name, out var found) ? found : new Undefined(name),
        Undefined { Name: var undefined } => throw rendering.Error($"'{undefined}' is undefined, and so it has no '{name}'"),
        _ => new Undefined(name),
    };

    public static object? Item(object? value, object? key, Rendering rendering)
    {
        if (value is List<object?> or string && key is long index)
        {
            var items = Items(value, rendering);
            if (index < 0) index += items.Count;
            return index >= 0 && index < items.Count ? items[(int)index] : new Undefined($"[{index.ToString(CultureInfo.InvariantCulture)}]");
        }
        if (value is OrderedDictionary<object, object?> map && key is not (null or string)) return map.TryGetValue(key, out var found) ? found : new Undefined(Text(key, rendering));
        return Attribute(value, Text(key, rendering), rendering);
    }

    public static object? Slice(object? value, object? from, object? to, object? by, Rendering rendering)
    {
        if (value is not (List<object?> or string)) throw rendering.Error($"{Kind(value)} cannot be cut");
        var (items, step) = (Items(value, rendering), by is null ? 1 : Whole(by, rendering));
        if (step == 0) throw rendering.Error("a step of 0 leads nowhere");
        var (first, last) = step > 0 ? (0L, (long)items.Count) : (items.Count - 1L, -1L);
        var (start, stop) = (Bound(from, first), Bound(to, last));
        var result = new List<object?>();
        for (var i = start; step > 0 ? i < stop : i > stop; i += step) result.Add(items[(int)i]);
        return value is string ? string.Concat(result) : result;

        long Bound(object? given, long standard)
        {
            if (given is null) return standard;
            var index = Whole(given, rendering);
            if (index < 0) index += items.Count;
            return step > 0 ? Math.Clamp(index, 0, items.Count) : Math.Clamp(index, -1, items.Count - 1);
        }
    }

    public static long Whole(object? value, Rendering rendering) => value switch
    {
        long number => number,
        bool truth => truth ? 1 : 0,
        _ => throw rendering.Error($"{Kind(value)} stands where a whole number is wanted"),
    };

    public static object Compare(string sign, object? left, object? right, Rendering rendering) => sign switch
    {
        "==" => Same(left, right, rendering),
        "!=" => !Same(left, right, rendering),
        "in" => Holds(right, left, rendering),
        "not in" => !Holds(right, left, rendering),
        "<" => Order(left, right, rendering) < 0,
        ">" => Order(left, right, rendering) > 0,
        "<=" => Order(left, right, rendering) <= 0,
        _ => Order(left, right, rendering) >= 0,
    };

    public static bool Same(object? left, object? right, Rendering rendering, int depth = 0)
    {
        if (depth > MostDepth) throw rendering.Error(TooDeep);
        rendering.Counted(left);
        return (left, right) switch
        {
            (null, null) or (Undefined, Undefined) => true,
            (string a, string b) => a == b,
            (long or double or bool, long or double or bool) => Number(left) == Number(right),
            (List<object?> a, List<object?> b) => a.Count == b.Count && a.Zip(b).All(pair => Same(pair.First, pair.Second, rendering, depth + 1)),
            (OrderedDictionary<object, object?> a, OrderedDictionary<object, object?> b) =>
                a.Count == b.Count && a.All(item => b.TryGetValue(item.Key, out var other) && Same(item.Value, other, rendering, depth + 1)),
            _ => ReferenceEquals(left, right),
        };
    }

    public static bool Holds(object? container, object? value, Rendering rendering) => rendering.Counted(container) switch
    {
        string text => value is string part ? text.Contains(part, StringComparison.Ordinal) : throw rendering.Error($"{Kind(value)} is looked for in a text"),
        OrderedDictionary<object, object?> map => value is not null && map.ContainsKey(value),
        Namespace space => value is string name && space.ContainsKey(name),
        List<object?> list => list.Exists(item => Same(item, value, rendering)),
        Undefined => false,
        _ => throw rendering.Error($"{Kind(container)} holds nothing that could be looked for"),
    };

    public static int Order(object? left, object? right, Rendering rendering) => (left, right) switch
    {
        (string a, string b) => string.CompareOrdinal(a, b),
        (long or double or bool, long or double or bool) => Number(left).CompareTo(Number(right)),
        _ => throw rendering.Error($"{Kind(left)} and {Kind(right)} have no order"),
    };

    public static double Number(object? value) => value switch
    {
        long number => number,
        double number => number,
        true => 1,
        _ => 0,
    };

    public static object Calculate(string sign, object? left, object? right, Rendering rendering)
    {
        try
        {
            rendering.Counted(left);
            rendering.Counted(right);
            return (sign, left, right) switch
            {
                ("+", string a, string b) => a + b,
                ("+", List<object?> a, List<object?> b) => (List<object?>)[.. a, .. b],
                ("*", string a, long b) => Repeat(a, b, rendering),
                ("*", long a, string b) => Repeat(b, a, rendering),
                ("/", long or double or bool, long or double or bool) when Number(right) != 0 => Number(left) / Number(right),
                ("/" or "//" or "%", _, long or double or bool) when Number(right) == 0 => throw rendering.Error("a number is divided by 0"),
                (_, long or bool, long or bool) => Whole(sign, Whole(left, rendering), Whole(right, rendering)),
                (_, long or double or bool, long or double or bool) => Real(sign, Number(left), Number(right)),
                _ => throw rendering.Error($"'{sign}' cannot join {Kind(left)} and {Kind(right)}"),
            };
        }
        catch (OverflowException)
        {
            throw rendering.Error($"the result of '{sign}' is too large");
        }
    }

    private static string Repeat(string text, long times, Rendering rendering)
    {
        if (text.Length * (double)times > 1_000_000) throw rendering.Error("a text is repeated too often");
        rendering.Spend(text.Length * Math.Max(0, times));
        return string.Concat(Enumerable.Repeat(text, (int)Math.Max(0, times)));
    }

    private static object Whole(string sign, long left, long right) => sign switch
    {
        "+" => (object)checked(left + right),
        "-" => checked(left - right),
        "*" => checked(left * right),
        "//" => (long)Math.Floor((decimal)left / right),
        "%" => ((left % right) + right) % right,
        _ => right >= 0 && Math.Pow(left, right) is var power && Math.Abs(power) < 9e15 ? (long)power : (object)Math.Pow(left, right),
    };

    private static object Real(string sign, double left, double right) => sign switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "//" => Math.Floor(left / right),
        "%" => left - (right * Math.Floor(left / right)),
        _ => Math.Pow(left, right),
    };
}
