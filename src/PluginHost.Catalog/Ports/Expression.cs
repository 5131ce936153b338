namespace PluginHost.Catalog.Ports;

/// <summary>Integer arithmetic over symbols and options: a dimension of a port or a cost formula.</summary>
public abstract record Expression
{
    /// <summary>The value.</summary>
    /// <param name="bindings">What symbols and options stand for.</param>
    /// <param name="exact">Whether a division that leaves a remainder is a mistake (dimensions) or is cut off (costs).</param>
    /// <returns>Null when a symbol has no value.</returns>
    /// <exception cref="ArithmeticException">A division leaves a remainder or divides by zero, or the value does not fit.</exception>
    public abstract long? Evaluate(IBindings bindings, bool exact);

    /// <summary>This node and all below it.</summary>
    public virtual IEnumerable<Expression> Nodes => [this];

    /// <summary>Names of all symbols.</summary>
    public IEnumerable<string> Symbols => Nodes.OfType<SymbolExpression>().Select(symbol => symbol.Name);

    /// <summary>Names of all options.</summary>
    public IEnumerable<string> Options => Nodes.OfType<OptionExpression>().Select(option => option.Name);
}

/// <summary>What the names in an expression stand for.</summary>
public interface IBindings
{
    /// <summary>The value of a symbol, or null when it is not known.</summary>
    long? Symbol(string name);

    /// <summary>The value of an option; true is 1, false is 0.</summary>
    long? Option(string name);

    /// <summary>For <c>sum(...)</c>: the bindings of each wired variadic input.</summary>
    IReadOnlyList<IBindings> Items { get; }
}

public sealed record NumberExpression(long Value) : Expression
{
    public override long? Evaluate(IBindings bindings, bool exact) => Value;
}

public sealed record SymbolExpression(string Name) : Expression
{
    public override long? Evaluate(IBindings bindings, bool exact) => bindings.Symbol(Name);
}

public sealed record OptionExpression(string Name) : Expression
{
    public override long? Evaluate(IBindings bindings, bool exact) => bindings.Option(Name);
}

public sealed record SumExpression(Expression Body) : Expression
{
    public override IEnumerable<Expression> Nodes => Body.Nodes.Prepend(this);

    public override long? Evaluate(IBindings bindings, bool exact)
    {
        long sum = 0;
        foreach (var item in bindings.Items)
        {
            if (Body.Evaluate(item, exact) is not { } value) return null;
            sum = checked(sum + value);
        }
        return sum;
    }
}

public sealed record BinaryExpression(char Operator, Expression Left, Expression Right) : Expression
{
    public override IEnumerable<Expression> Nodes => Left.Nodes.Concat(Right.Nodes).Prepend(this);

    public override long? Evaluate(IBindings bindings, bool exact)
    {
        if (Left.Evaluate(bindings, exact) is not { } left || Right.Evaluate(bindings, exact) is not { } right) return null;
        return checked(Operator switch { '+' => left + right, '-' => left - right, '*' => left * right, _ => Divide(left, right, exact) });
    }

    private static long Divide(long left, long right, bool exact)
    {
        if (right == 0) throw new ArithmeticException($"{left} / 0 has no value");
        if (exact && left % right != 0) throw new ArithmeticException($"{left} / {right} leaves a remainder of {left % right}");
        return checked(left / right);
    }
}
