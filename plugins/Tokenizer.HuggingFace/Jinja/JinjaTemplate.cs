// Jinja (Pallets' template language) as far as chat templates of published models use it, as Hugging Face's libraries render them: a sandbox with trimmed
// blocks, loop controls, and JSON as Python writes it. There is no .NET library of it on NuGet; Scriban and Fluid speak other languages.
using System.Globalization;
using System.Text;

namespace Tokenizer.HuggingFace.Jinja;

/// <summary>A template is wrong, refuses its values, or does too much.</summary>
internal sealed class JinjaException(int line, string message) : FormatException($"line {line.ToString(CultureInfo.InvariantCulture)}: {message}")
{
    public string Reason { get; } = message;
}

internal delegate object? Expression(Scope scope);

internal delegate Flow Statement(Scope scope);

internal delegate object? Callable(Rendering rendering, IReadOnlyList<object?> arguments, IReadOnlyDictionary<string, object?> named);

/// <summary>How a statement ends.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

/// <summary>A value that nobody gave: empty in text, false in conditions, and an error to look into.</summary>
internal sealed record Undefined(string Name);

/// <summary>A parsed template. Rendering is safe for concurrent use.</summary>
internal sealed class JinjaTemplate
{
    private readonly Statement body;

    private JinjaTemplate(Statement body) => this.body = body;

    /// <exception cref="JinjaException">It is no template, or uses what is not read.</exception>
    public static JinjaTemplate Parse(string text) => new(new JinjaParser(JinjaLexer.Read(text)).Template());

    /// <summary>Renders with values of JSON's kinds: null, bool, long, double, string, <see cref="List{T}"/> and <see cref="OrderedDictionary{TKey, TValue}"/> of objects.</summary>
    /// <exception cref="JinjaException">The template refuses these values, or does too much.</exception>
    public string Render(IEnumerable<KeyValuePair<string, object?>> values)
    {
        var rendering = new Rendering();
        var scope = new Scope(rendering, null);
        foreach (var (name, value) in JinjaBuiltins.Globals.Concat(values)) scope.Set(name, value);
        body(scope);
        return rendering.Output.ToString();
    }
}

/// <summary>One rendering: what has been written, where it is, and how much it may still do.</summary>
internal sealed class Rendering
{
    private const int MostSteps = 2_000_000;
    private const long MostWork = 50_000_000;
    private const int MostDepth = 64;

    private int steps;
    private long work;
    private int depth;

    public StringBuilder Output { get; set; } = new();

    /// <summary>The line of the statement that runs.</summary>
    public int Line { get; private set; } = 1;

    /// <summary>Counts a step, so that no template runs forever.</summary>
    public void Step(int line)
    {
        Line = line;
        if (++steps > MostSteps) throw Error("the template does not come to an end");
    }

    /// <summary>Counts letters and members that are made or looked through, so that no template fills the memory.</summary>
    public void Spend(long count)
    {
        work += count;
        if (work > MostWork) throw Error("the template makes too much");
    }

    /// <summary>Counts what a value takes.</summary>
    public object? Counted(object? value)
    {
        Spend(value switch { string text => text.Length, List<object?> list => list.Count, _ => 1 });
        return value;
    }

    public void Write(string text)
    {
        Spend(text.Length);
        Output.Append(text);
    }

    /// <summary>What a body writes, instead of writing it.</summary>
    public string Capture(Action body)
    {
        if (++depth > MostDepth) throw Error("the template's macros call each other too deeply");
        var outer = Output;
        Output = new StringBuilder();
        try
        {
            body();
            return Output.ToString();
        }
        finally
        {
            Output = outer;
            depth--;
        }
    }

    public JinjaException Error(string message) => new(Line, message);
}

/// <summary>Names and values; those of the scopes around are seen, and not changed.</summary>
internal sealed class Scope(Rendering rendering, Scope? outer)
{
    private readonly Dictionary<string, object?> values = [];

    public Rendering Rendering => rendering;

    public object? Get(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope.values.TryGetValue(name, out var value)) return value;
        return new Undefined(name);
    }

    public void Set(string name, object? value) => values[name] = value;

    private Scope? Outer => outer;
}
