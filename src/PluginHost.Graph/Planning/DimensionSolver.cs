using PluginHost.Catalog.Ports;

namespace PluginHost.Graph.Planning;

/// <summary>An unknown of the graph's dimensions: a union-find node that may be bound to a number or be dynamic by nature.</summary>
internal sealed class DimensionVariable
{
    private DimensionVariable? parent;

    public long? Value { get; private set; }

    /// <summary>What it measures when it differs from batch to batch (<c>the batch</c>); equal only to itself.</summary>
    public string? Dynamic { get; init; }

    /// <summary>The port that gave it its value, for messages.</summary>
    public string? Origin { get; private set; }

    public DimensionVariable Root
    {
        get
        {
            var root = this;
            while (root.parent is not null) root = root.parent;
            return root;
        }
    }

    private bool Bound => Value is not null || Dynamic is not null;

    /// <summary>Gives the variable a number.</summary>
    /// <returns>False when it already has another, or is dynamic.</returns>
    public bool Assign(long value, string origin)
    {
        var root = Root;
        if (root.Bound) return root.Value == value;
        root.Value = value;
        root.Origin = origin;
        return true;
    }

    /// <summary>Makes two variables one.</summary>
    /// <returns>False when they are bound to different things.</returns>
    public bool Join(DimensionVariable other, string origin)
    {
        var (a, b) = (Root, other.Root);
        if (a == b) return true;
        if (a.Bound && b.Bound) return a.Value is not null && a.Value == b.Value;
        var (free, bound) = a.Bound ? (b, a) : (a, b);
        free.parent = bound;
        if (bound.Origin is null && bound.Bound) bound.Origin = origin;
        return true;
    }
}

/// <summary>The names that a node's ports share: symbols with their variables, and options with their values.</summary>
/// <param name="batch">The variable of <c>B</c>, the same in every scope.</param>
/// <param name="settings">Option values by name in code.</param>
/// <param name="parent">For a variadic input the node's scope, which has all symbols but those that end in <c>_i</c>.</param>
internal sealed class PortScope(DimensionVariable batch, IReadOnlyDictionary<string, long> settings, PortScope? parent = null) : IBindings
{
    private readonly Dictionary<string, DimensionVariable> variables = [];
    private readonly List<PortScope> items = [];

    public IReadOnlyList<IBindings> Items => items;

    /// <summary>Symbols met so far with their variables.</summary>
    public IReadOnlyDictionary<string, DimensionVariable> Variables => variables;

    public IReadOnlyDictionary<string, long> Settings => settings;

    public PortScope AddItem()
    {
        var item = new PortScope(batch, settings, this);
        items.Add(item);
        return item;
    }

    /// <summary>Declares a symbol that is dynamic by nature.</summary>
    public void Declare(string name, string dynamic) => variables.TryAdd(name, new DimensionVariable { Dynamic = dynamic });

    public DimensionVariable Variable(string name)
    {
        if (name == "B") return batch;
        if (parent is not null && !name.EndsWith("_i", StringComparison.Ordinal)) return parent.Variable(name);
        if (!variables.TryGetValue(name, out var variable)) variables[name] = variable = new DimensionVariable();
        return variable;
    }

    public long? Symbol(string name) => Variable(name).Root.Value;

    public long? Option(string name) => settings.TryGetValue(name, out var value) ? value : null;
}

/// <summary>A dimension where it stands: its formula with the scope of its symbols.</summary>
internal readonly record struct Term(Expression Formula, PortScope Scope)
{
    /// <summary>The value, or null while it is unknown or when the arithmetic fails.</summary>
    public long? Value
    {
        get
        {
            try
            {
                return Formula.Evaluate(Scope, exact: true);
            }
            catch (ArithmeticException)
            {
                return null;
            }
        }
    }

    public DimensionVariable? Variable => Formula is SymbolExpression symbol ? Scope.Variable(symbol.Name).Root : null;

    public Dimension Shown => Value is { } value ? Dimension.Of(value) : new Dimension(null, FormulaText.Of(Formula, Scope));
}

/// <summary>How an equation between two dimensions ended.</summary>
internal enum Equality { Holds, Fails, Unknown }

internal static class DimensionSolver
{
    /// <summary>Makes two dimensions equal, in either direction.</summary>
    public static Equality Equate(Term source, Term target, string sourceName, string targetName)
    {
        var (a, b) = (source.Value, target.Value);
        if (a is not null && b is not null) return a == b ? Equality.Holds : Equality.Fails;
        if (source.Variable is { } left && target.Variable is { } right) return Result(right.Join(left, sourceName));
        if (a is { } known && target.Variable is { } unknown) return Result(unknown.Assign(known, sourceName));
        if (b is { } wanted && source.Variable is { } open) return Result(open.Assign(wanted, targetName));
        return Equality.Unknown;
    }

    private static Equality Result(bool holds) => holds ? Equality.Holds : Equality.Fails;
}
