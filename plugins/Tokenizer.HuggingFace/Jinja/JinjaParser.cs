namespace Tokenizer.HuggingFace.Jinja;

/// <summary>Reads tokens into what renders them: here statements.</summary>
internal sealed partial class JinjaParser(IReadOnlyList<Token> tokens)
{
    private const int MostDepth = 200;

    private int at;
    private int depth;

    private Token Now => tokens[at];

    public Statement Template()
    {
        var body = Body();
        return Now.Kind == TokenKind.End ? body : throw Error($"'{Now.Text}' closes nothing");
    }

    // Statements up to a block with one of these names, which is not read.
    private Statement Body(params string[] ends)
    {
        Deeper();
        var statements = new List<Statement>();
        while (true)
        {
            var token = Now;
            if (token.Kind == TokenKind.Text)
            {
                at++;
                statements.Add(scope =>
                {
                    scope.Rendering.Write(token.Text);
                    return Flow.Next;
                });
            }
            else if (token.Kind == TokenKind.BeginPrint)
            {
                at++;
                var value = Tuple();
                Expect(TokenKind.EndPrint);
                statements.Add(scope =>
                {
                    scope.Rendering.Step(token.Line);
                    scope.Rendering.Write(JinjaValues.Text(value(scope), scope.Rendering));
                    return Flow.Next;
                });
            }
            else if (token.Kind == TokenKind.End || (ends.Length > 0 && ends.Contains(tokens[at + 1].Text))) break;
            else
            {
                at++;
                statements.Add(Block(token.Line));
            }
        }
        depth--;
        if (ends.Length > 0 && Now.Kind == TokenKind.End) throw Error($"'{ends[^1]}' is missing");
        Statement[] all = [.. statements];
        return scope =>
        {
            foreach (var statement in all)
                if (statement(scope) is not Flow.Next and var flow) return flow;
            return Flow.Next;
        };
    }

    private Statement Block(int line)
    {
        var name = Name();
        var statement = name switch
        {
            "if" => If(),
            "for" => For(),
            "set" => Set(),
            "macro" => Macro(),
            "break" => Ends(_ => Flow.Break),
            "continue" => Ends(_ => Flow.Continue),
            "generation" => Generation(),
            _ => throw Error($"the tag '{name}' is not read; chat templates have if, for, set, macro, break, continue and generation"),
        };
        return scope =>
        {
            scope.Rendering.Step(line);
            return statement(scope);
        };
    }

    private Statement Ends(Statement statement)
    {
        Expect(TokenKind.EndBlock);
        return statement;
    }

    // {% endif %}
    private void End(string name)
    {
        Expect(TokenKind.BeginBlock);
        if (Name() != name) throw Error($"'{name}' is missing");
        Expect(TokenKind.EndBlock);
    }

    private Statement Generation()
    {
        Expect(TokenKind.EndBlock);
        var body = Body("endgeneration");
        End("endgeneration");
        return body;
    }

    private Statement If()
    {
        var condition = Value();
        Expect(TokenKind.EndBlock);
        var then = Body("elif", "else", "endif");
        Expect(TokenKind.BeginBlock);
        Statement otherwise = _ => Flow.Next;
        switch (Name())
        {
            case "elif":
                otherwise = If();
                break;
            case "else":
                Expect(TokenKind.EndBlock);
                otherwise = Body("endif");
                End("endif");
                break;
            default:
                Expect(TokenKind.EndBlock);
                break;
        }
        return scope => JinjaValues.Truth(condition(scope)) ? then(scope) : otherwise(scope);
    }

    private Statement For()
    {
        var names = Names();
        if (Name() != "in") throw Error("a loop is written 'for NAME in VALUES'");
        var values = Or();
        Expression? filter = Skip("if") ? Value() : null;
        Expect(TokenKind.EndBlock);
        var body = Body("else", "endfor");
        Expect(TokenKind.BeginBlock);
        Statement otherwise = _ => Flow.Next;
        if (Name() == "else")
        {
            Expect(TokenKind.EndBlock);
            otherwise = Body("endfor");
            End("endfor");
        }
        else Expect(TokenKind.EndBlock);

        return scope =>
        {
            var items = new List<object?>();
            foreach (var item in JinjaValues.Items(values(scope), scope.Rendering))
            {
                var tried = new Scope(scope.Rendering, scope);
                Assign(tried, names, item);
                if (filter is null || JinjaValues.Truth(filter(tried))) items.Add(item);
            }
            if (items.Count == 0) return otherwise(scope);
            for (var i = 0; i < items.Count; i++)
            {
                scope.Rendering.Step(scope.Rendering.Line);
                var inner = new Scope(scope.Rendering, scope);
                Assign(inner, names, items[i]);
                inner.Set("loop", Loop(items, i));
                if (body(inner) == Flow.Break) break;
            }
            return Flow.Next;
        };
    }

    private static OrderedDictionary<object, object?> Loop(List<object?> items, int i) => new()
    {
        ["index"] = i + 1L,
        ["index0"] = (long)i,
        ["revindex"] = (long)items.Count - i,
        ["revindex0"] = items.Count - i - 1L,
        ["first"] = i == 0,
        ["last"] = i == items.Count - 1,
        ["length"] = (long)items.Count,
        ["previtem"] = i > 0 ? items[i - 1] : new Undefined("previtem"),
        ["nextitem"] = i + 1 < items.Count ? items[i + 1] : new Undefined("nextitem"),
        ["cycle"] = (Callable)((rendering, arguments, _) => arguments.Count > 0 ? arguments[i % arguments.Count] : throw rendering.Error("cycle needs something to go through")),
    };

    private static void Assign(Scope scope, IReadOnlyList<string> names, object? value)
    {
        if (names.Count == 1)
        {
            scope.Set(names[0], value);
            return;
        }
        var parts = JinjaValues.Items(value, scope.Rendering);
        if (parts.Count != names.Count) throw scope.Rendering.Error($"{parts.Count} values do not fit the {names.Count} names {string.Join(", ", names)}");
        for (var i = 0; i < names.Count; i++) scope.Set(names[i], parts[i]);
    }

    private Statement Set()
    {
        var names = Names();
        var field = names.Count == 1 && SkipOperator(".") ? Name() : null;
        if (SkipOperator("="))
        {
            var value = Tuple();
            Expect(TokenKind.EndBlock);
            return scope => Store(scope, value(scope));
        }
        Expect(TokenKind.EndBlock);
        var body = Body("endset");
        End("endset");
        return scope => Store(scope, scope.Rendering.Capture(() => body(new Scope(scope.Rendering, scope))));

        Flow Store(Scope scope, object? value)
        {
            if (field is null) Assign(scope, names, value);
            else if (scope.Get(names[0]) is Namespace space) space[field] = value;
            else throw scope.Rendering.Error($"only a namespace takes '{names[0]}.{field} = ...'");
            return Flow.Next;
        }
    }

    private Statement Macro()
    {
        var name = Name();
        var parameters = new List<(string Name, Expression? Default)>();
        ExpectOperator("(");
        while (!SkipOperator(")"))
        {
            if (parameters.Count > 0) ExpectOperator(",");
            parameters.Add((Name(), SkipOperator("=") ? Value() : null));
        }
        Expect(TokenKind.EndBlock);
        var body = Body("endmacro");
        End("endmacro");
        return scope =>
        {
            scope.Set(name, (Callable)((rendering, arguments, named) =>
            {
                if (arguments.Count > parameters.Count) throw rendering.Error($"the macro '{name}' takes {parameters.Count} values, not {arguments.Count}");
                if (named.Keys.FirstOrDefault(key => parameters.All(parameter => parameter.Name != key)) is { } stranger) throw rendering.Error($"the macro '{name}' has no parameter '{stranger}'");
                var inner = new Scope(rendering, scope);
                for (var i = 0; i < parameters.Count; i++)
                    inner.Set(parameters[i].Name, i < arguments.Count ? arguments[i]
                        : named.TryGetValue(parameters[i].Name, out var given) ? given
                        : parameters[i].Default is { } preset ? preset(inner) : new Undefined(parameters[i].Name));
                return rendering.Capture(() => body(inner));
            }));
            return Flow.Next;
        };
    }

    private List<string> Names()
    {
        var names = new List<string>();
        var bracketed = SkipOperator("(");
        do names.Add(Name());
        while (SkipOperator(","));
        if (bracketed) ExpectOperator(")");
        return names;
    }

    private bool IsName(string name) => Now.Kind == TokenKind.Name && Now.Text == name;

    private bool IsOperator(string sign) => Now.Kind == TokenKind.Operator && Now.Text == sign;

    private bool Skip(string name)
    {
        if (!IsName(name)) return false;
        at++;
        return true;
    }

    private bool SkipOperator(string sign)
    {
        if (!IsOperator(sign)) return false;
        at++;
        return true;
    }

    private string Name() => Now.Kind == TokenKind.Name ? tokens[at++].Text : throw Error($"a name is missing before '{Now.Text}'");

    private void Expect(TokenKind kind)
    {
        if (Now.Kind != kind) throw Error($"'{(kind == TokenKind.EndBlock ? "%}" : kind == TokenKind.EndPrint ? "}}" : "{%")}' is missing before '{Now.Text}'");
        at++;
    }

    private void ExpectOperator(string sign)
    {
        if (!SkipOperator(sign)) throw Error($"'{sign}' is missing before '{Now.Text}'");
    }

    // The stack is finite, whoever wrote the template.
    private void Deeper()
    {
        if (++depth > MostDepth) throw Error("it is nested too deeply");
    }

    private JinjaException Error(string message) => new(Now.Line, message);
}
