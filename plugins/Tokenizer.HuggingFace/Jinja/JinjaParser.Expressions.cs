namespace Tokenizer.HuggingFace.Jinja;

/// <content>Expressions, from those that bind least to those that bind most.</content>
internal sealed partial class JinjaParser
{
    // a, b  is a list, as in Python.
    private Expression Tuple()
    {
        var first = Value();
        if (!IsOperator(",")) return first;
        var parts = new List<Expression> { first };
        while (SkipOperator(",") && Now.Kind is not (TokenKind.EndBlock or TokenKind.EndPrint) && !IsOperator(")")) parts.Add(Value());
        return scope => parts.Select(part => part(scope)).ToList();
    }

    private Expression Value()
    {
        Deeper();
        var value = Or();
        while (Skip("if"))
        {
            var (then, condition) = (value, Or());
            var otherwise = Skip("else") ? Value() : _ => new Undefined("else");
            value = scope => JinjaValues.Truth(condition(scope)) ? then(scope) : otherwise(scope);
        }
        depth--;
        return value;
    }

    private Expression Or()
    {
        var left = And();
        while (Skip("or"))
        {
            var (first, second) = (left, And());
            left = scope => first(scope) is var value && JinjaValues.Truth(value) ? value : second(scope);
        }
        return left;
    }

    private Expression And()
    {
        var left = Not();
        while (Skip("and"))
        {
            var (first, second) = (left, Not());
            left = scope => first(scope) is var value && !JinjaValues.Truth(value) ? value : second(scope);
        }
        return left;
    }

    private Expression Not()
    {
        if (!Skip("not")) return Comparison();
        Deeper();
        var value = Not();
        depth--;
        return scope => !JinjaValues.Truth(value(scope));
    }

    private Expression Comparison()
    {
        var left = Sum();
        while (true)
        {
            var sign = Now is { Kind: TokenKind.Operator, Text: "==" or "!=" or "<" or ">" or "<=" or ">=" } ? Now.Text
                : IsName("in") ? "in" : IsName("not") && tokens[at + 1] is { Kind: TokenKind.Name, Text: "in" } ? "not in" : null;
            if (sign is null) return left;
            at += sign == "not in" ? 2 : 1;
            var (first, second) = (left, Sum());
            left = scope => JinjaValues.Compare(sign, first(scope), second(scope), scope.Rendering);
        }
    }

    private Expression Sum() => Chain(Joined, "+", "-");

    private Expression Joined()
    {
        var left = Product();
        while (SkipOperator("~"))
        {
            var (first, second) = (left, Product());
            left = scope => JinjaValues.Calculate("+", JinjaValues.Text(first(scope), scope.Rendering), JinjaValues.Text(second(scope), scope.Rendering), scope.Rendering);
        }
        return left;
    }

    private Expression Product() => Chain(Signed, "*", "/", "//", "%");

    private Expression Chain(Func<Expression> part, params string[] signs)
    {
        var left = part();
        while (Now.Kind == TokenKind.Operator && signs.Contains(Now.Text))
        {
            var sign = Now.Text;
            at++;
            var (first, second) = (left, part());
            left = scope => JinjaValues.Calculate(sign, first(scope), second(scope), scope.Rendering);
        }
        return left;
    }

    private Expression Signed()
    {
        if (IsOperator("-") || IsOperator("+"))
        {
            var negative = IsOperator("-");
            at++;
            Deeper();
            var value = Signed();
            depth--;
            return scope => JinjaValues.Calculate(negative ? "-" : "+", 0L, value(scope), scope.Rendering);
        }
        var power = Filtered(Primary());
        if (!SkipOperator("**")) return power;
        var exponent = Signed();
        return scope => JinjaValues.Calculate("**", power(scope), exponent(scope), scope.Rendering);
    }

    // value.name  value[...]  value(...)  value | filter  value is test
    private Expression Filtered(Expression value)
    {
        while (true)
        {
            var target = value;
            if (SkipOperator("."))
            {
                var name = Now.Kind == TokenKind.Number ? tokens[at++].Text : Name();
                if (IsOperator("("))
                {
                    var arguments = Arguments();
                    value = scope => arguments(scope) is var (positional, named)
                        ? scope.Rendering.Counted(JinjaBuiltins.Call(scope.Rendering.Counted(target(scope)), name, scope.Rendering, positional, named)) : null;
                }
                else value = scope => JinjaValues.Attribute(target(scope), name, scope.Rendering);
            }
            else if (SkipOperator("[")) value = Subscript(target);
            else if (IsOperator("("))
            {
                var arguments = Arguments();
                value = scope =>
                {
                    var (positional, named) = arguments(scope);
                    return target(scope) switch
                    {
                        Callable callable => callable(scope.Rendering, positional, named),
                        Undefined { Name: var name } => throw scope.Rendering.Error($"there is no function '{name}'"),
                        var other => throw scope.Rendering.Error($"{JinjaValues.Kind(other)} cannot be called"),
                    };
                };
            }
            else if (SkipOperator("|"))
            {
                var (line, name) = (Now.Line, Name());
                if (!JinjaBuiltins.Filters.TryGetValue(name, out var filter)) throw new JinjaException(line, $"there is no filter '{name}'");
                var arguments = IsOperator("(") ? Arguments() : NoArguments;
                value = scope =>
                {
                    var (positional, named) = arguments(scope);
                    return scope.Rendering.Counted(filter(scope.Rendering, [target(scope), .. positional], named));
                };
            }
            else if (Skip("is")) value = Test(target);
            else return value;
        }
    }

    private Expression Test(Expression target)
    {
        var negated = Skip("not");
        var (line, name) = (Now.Line, SkipOperator("==") ? "==" : Name());
        if (!JinjaBuiltins.Tests.TryGetValue(name, out var test)) throw new JinjaException(line, $"there is no test '{name}'");
        Expression? against = name is "in" or "==" or "eq" or "equalto" or "ne" or "divisibleby" or "sameas" ? Primary() : null;
        return scope => test(target(scope), against?.Invoke(scope), scope.Rendering) != negated;
    }

    private Expression Subscript(Expression target)
    {
        var start = IsOperator(":") ? null : Value();
        if (!SkipOperator(":"))
        {
            ExpectOperator("]");
            return scope => JinjaValues.Item(target(scope), start!(scope), scope.Rendering);
        }
        var stop = IsOperator(":") || IsOperator("]") ? null : Value();
        var step = SkipOperator(":") && !IsOperator("]") ? Value() : null;
        ExpectOperator("]");
        return scope => JinjaValues.Slice(target(scope), start?.Invoke(scope), stop?.Invoke(scope), step?.Invoke(scope), scope.Rendering);
    }

    private static (IReadOnlyList<object?> Positional, IReadOnlyDictionary<string, object?> Named) NoArguments(Scope scope) => ([], new Dictionary<string, object?>());

    private Func<Scope, (IReadOnlyList<object?> Positional, IReadOnlyDictionary<string, object?> Named)> Arguments()
    {
        ExpectOperator("(");
        var (positional, named) = (new List<Expression>(), new Dictionary<string, Expression>());
        while (!SkipOperator(")"))
        {
            if (positional.Count + named.Count > 0) ExpectOperator(",");
            if (SkipOperator(")")) break;
            if (Now.Kind == TokenKind.Name && tokens[at + 1] is { Kind: TokenKind.Operator, Text: "=" })
            {
                var name = Name();
                at++;
                named[name] = Value();
            }
            else positional.Add(Value());
        }
        return scope => ([.. positional.Select(value => value(scope))], named.ToDictionary(item => item.Key, item => item.Value(scope)));
    }

    private Expression Primary()
    {
        var token = Now;
        at++;
        switch (token.Kind)
        {
            case TokenKind.Number:
                return _ => token.Value;
            case TokenKind.String:
                var text = (string)token.Value!;
                while (Now.Kind == TokenKind.String) text += (string)tokens[at++].Value!;  // neighbours are one, as in Python
                return _ => text;
            case TokenKind.Name:
                return token.Text switch
                {
                    "true" or "True" => _ => true,
                    "false" or "False" => _ => false,
                    "none" or "None" => _ => null,
                    "if" or "else" or "and" or "or" or "in" or "is" => throw new JinjaException(token.Line, $"a value is missing before '{token.Text}'"),
                    _ => scope => scope.Get(token.Text),
                };
            case TokenKind.Operator when token.Text == "(":
                var inner = IsOperator(")") ? _ => new List<object?>() : Tuple();
                ExpectOperator(")");
                return inner;
            case TokenKind.Operator when token.Text == "[":
                var parts = new List<Expression>();
                while (!SkipOperator("]"))
                {
                    if (parts.Count > 0) ExpectOperator(",");
                    if (SkipOperator("]")) break;
                    parts.Add(Value());
                }
                return scope => parts.Select(part => part(scope)).ToList();
            case TokenKind.Operator when token.Text == "{":
                var entries = new List<(Expression Key, Expression Value)>();
                while (!SkipOperator("}"))
                {
                    if (entries.Count > 0) ExpectOperator(",");
                    if (SkipOperator("}")) break;
                    var key = Value();
                    ExpectOperator(":");
                    entries.Add((key, Value()));
                }
                return scope =>
                {
                    var result = new OrderedDictionary<object, object?>();
                    foreach (var (key, value) in entries) result[key(scope) ?? throw scope.Rendering.Error("none is no key")] = value(scope);
                    return result;
                };
            default:
                throw new JinjaException(token.Line, $"a value is missing before '{token.Text}'");
        }
    }
}
