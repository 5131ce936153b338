using System.Globalization;
using PluginHost.Sdk;

namespace Tool.Calculator;

/// <summary>
/// An arithmetic expression. Powers bind to the right and before a sign: <c>-2^2</c> is -4.
/// <code>sum = product {(+|-) product}   product = sign {(*|/|%) sign}   sign = [-|+] sign | power   power = atom [^ sign]</code>
/// </summary>
internal sealed class Expression(string text)
{
    private const int Deepest = 100;

    private static readonly Dictionary<string, Func<double[], double>> Functions = new()
    {
        ["abs"] = values => Math.Abs(values[0]),
        ["ceil"] = values => Math.Ceiling(values[0]),
        ["cos"] = values => Math.Cos(values[0]),
        ["exp"] = values => Math.Exp(values[0]),
        ["floor"] = values => Math.Floor(values[0]),
        ["ln"] = values => Math.Log(values[0]),
        ["log10"] = values => Math.Log10(values[0]),
        ["max"] = values => values.Max(),
        ["min"] = values => values.Min(),
        ["round"] = values => Math.Round(values[0], MidpointRounding.AwayFromZero),
        ["sin"] = values => Math.Sin(values[0]),
        ["sqrt"] = values => Math.Sqrt(values[0]),
        ["tan"] = values => Math.Tan(values[0]),
    };

    private int at;
    private int depth;

    /// <summary>Its value.</summary>
    /// <exception cref="UserErrorException">It is no expression; says where.</exception>
    public double Evaluate()
    {
        at = 0;
        var value = Sum();
        return at == text.Length ? value : throw Wrong("an operator or the end");
    }

    private double Sum()
    {
        var value = Product();
        while (true)
            if (Taken('+')) value += Product();
            else if (Taken('-')) value -= Product();
            else return value;
    }

    private double Product()
    {
        var value = Sign();
        while (true)
            if (Taken('*')) value *= Sign();
            else if (Taken('/')) value /= Sign();
            else if (Taken('%')) value %= Sign();
            else return value;
    }

    private double Sign()
    {
        if (++depth > Deepest) throw new UserErrorException($"the expression is nested more than {Deepest} deep");
        var value = Taken('-') ? -Sign() : Taken('+') ? Sign() : Power();
        depth--;
        return value;
    }

    private double Power()
    {
        var value = Atom();
        return Taken('^') ? Math.Pow(value, Sign()) : value;
    }

    private double Atom()
    {
        if (Taken('('))
        {
            var inner = Sum();
            return Taken(')') ? inner : throw Wrong("a closing bracket");
        }
        var begin = at;
        if (at < text.Length && char.IsAsciiLetter(text[at]))
        {
            while (at < text.Length && char.IsAsciiLetterOrDigit(text[at])) at++;
            return Named(text[begin..at], begin);
        }
        while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.' || IsExponent(begin))) at++;
        if (!double.TryParse(text.AsSpan(begin, at - begin), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) throw Wrong("a number", begin);
        Blanks();
        return number;
    }

    // The e of 1e5, and the sign behind it.
    private bool IsExponent(int begin) =>
        (text[at] is 'e' or 'E' && at > begin && at + 1 < text.Length && (char.IsAsciiDigit(text[at + 1]) || (text[at + 1] is '+' or '-' && at + 2 < text.Length && char.IsAsciiDigit(text[at + 2]))))
        || (text[at] is '+' or '-' && at > begin && text[at - 1] is 'e' or 'E' && at > begin + 1);

    private double Named(string name, int begin)
    {
        Blanks();
        if (name == "pi") return Math.PI;
        if (name == "e") return Math.E;
        if (!Functions.TryGetValue(name, out var function)) throw new UserErrorException($"'{name}' at {begin + 1} is not known; known: e, pi, {string.Join(", ", Functions.Keys)}");
        if (!Taken('(')) throw Wrong($"a bracket behind {name}");
        var values = new List<double> { Sum() };
        while (Taken(',')) values.Add(Sum());
        if (!Taken(')')) throw Wrong("a closing bracket");
        return values.Count == 1 || name is "max" or "min" ? function([.. values]) : throw new UserErrorException($"{name} takes one number, not {values.Count}");
    }

    private bool Taken(char letter)
    {
        Blanks();
        if (at >= text.Length || text[at] != letter) return false;
        at++;
        Blanks();
        return true;
    }

    private void Blanks()
    {
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
    }

    private UserErrorException Wrong(string wanted, int? place = null) => new($"'{text}': {wanted} is expected at character {(place ?? at) + 1}{((place ?? at) < text.Length ? $", not '{text[place ?? at]}'" : "")}");
}
