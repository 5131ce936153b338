using System.Globalization;

namespace PluginHost.Catalog.Ports;

/// <summary>Reads expressions by recursive descent; length and nesting are bounded, because plugins are strangers.</summary>
public static class ExpressionParser
{
    private const int MaxLength = 2000;
    private const int MaxDepth = 50;

    /// <summary>Reads an expression.</summary>
    /// <param name="text">Such as <c>H/{Patch}*W/{Patch}</c>.</param>
    /// <param name="sums">Whether <c>sum(...)</c> may occur.</param>
    /// <exception cref="FormatException">The text is no expression; the message says where.</exception>
    public static Expression Parse(string text, bool sums)
    {
        if (text.Length > MaxLength) throw new FormatException($"an expression has at most {MaxLength} characters");
        var reading = new Reading(text, sums);
        var expression = reading.Sum(0);
        reading.End();
        return expression;
    }

    private sealed class Reading(string text, bool sums)
    {
        private int position;

        public Expression Sum(int depth)
        {
            var left = Product(depth);
            while (Take('+', '-') is { } op) left = new BinaryExpression(op, left, Product(depth));
            return left;
        }

        public void End()
        {
            if (Peek() != '\0') throw Error("an operator or the end");
        }

        private Expression Product(int depth)
        {
            var left = Term(depth);
            while (Take('*', '/') is { } op) left = new BinaryExpression(op, left, Term(depth));
            return left;
        }

        private Expression Term(int depth)
        {
            if (depth > MaxDepth) throw new FormatException($"an expression nests at most {MaxDepth} parentheses");
            var next = Peek();
            if (char.IsAsciiDigit(next)) return Number();
            if (char.IsAsciiLetter(next)) return SymbolOrSum(depth);
            if (Take('(', '(') is not null) return Closed(depth, ')');
            if (Take('{', '{') is null) throw Error("a number, a symbol, {Option} or '('");
            var name = Name();
            Expect('}');
            return new OptionExpression(name);
        }

        private Expression SymbolOrSum(int depth)
        {
            var name = Name();
            if (Peek() != '(') return new SymbolExpression(name);
            if (!sums || name != "sum") throw Error("an operator: only sum(...) is a function, and only in costs");
            position++;
            return new SumExpression(Closed(depth, ')'));
        }

        private Expression Closed(int depth, char close)
        {
            var inner = Sum(depth + 1);
            Expect(close);
            return inner;
        }

        private NumberExpression Number()
        {
            var start = position;
            while (position < text.Length && char.IsAsciiDigit(text[position])) position++;
            return long.TryParse(text.AsSpan(start, position - start), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                ? new NumberExpression(value)
                : throw new FormatException($"the number at character {start + 1} of '{text}' is too large");
        }

        private string Name()
        {
            var start = position;
            while (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] == '_')) position++;
            return position > start ? text[start..position] : throw Error("a name");
        }

        private char Peek()
        {
            while (position < text.Length && text[position] == ' ') position++;
            return position < text.Length ? text[position] : '\0';
        }

        private char? Take(char one, char other)
        {
            var next = Peek();
            if (next == '\0' || (next != one && next != other)) return null;
            position++;
            return next;
        }

        private void Expect(char wanted)
        {
            if (Take(wanted, wanted) is null) throw Error($"'{wanted}'");
        }

        private FormatException Error(string wanted) => new($"'{text}' needs {wanted} at character {position + 1}");
    }
}
