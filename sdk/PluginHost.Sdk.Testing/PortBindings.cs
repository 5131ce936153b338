using PluginHost.Catalog;
using PluginHost.Catalog.Ports;
using PluginHost.Config;
using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>What the names in a plugin's port types and formulas stand for in one use of it: the sample's sizes and the settings.</summary>
internal sealed class PortBindings : IBindings
{
    private readonly PluginDescription plugin;
    private readonly IReadOnlyDictionary<string, long> symbols;
    private readonly Dictionary<string, long> options = [];
    private readonly HashSet<string> dynamic;

    public PortBindings(PluginDescription plugin, PluginSample sample, IReadOnlyDictionary<string, object?> settings)
    {
        this.plugin = plugin;
        symbols = sample.Dimensions;
        foreach (var option in plugin.Options.Where(option => option.Countable))
        {
            if (settings[option.Name] is long number) options[option.ClrName] = number;
            else if (settings[option.Name] is bool flag) options[option.ClrName] = flag ? 1 : 0;
        }
        // The batch and the lengths of sequences differ from batch to batch.
        dynamic = [.. plugin.Inputs.Where(IsSequence).Select(port => port.Type.Dimensions[1]).OfType<SymbolExpression>().Select(symbol => symbol.Name), "B"];
        Items = plugin.Variadic is null ? [] : [.. sample.Inputs.Select(input => new Item(this, input.Key, input.Value))];
    }

    public IReadOnlyList<IBindings> Items { get; }

    /// <summary>The variadic inputs by name.</summary>
    public IEnumerable<(string Name, IBindings Bindings)> NamedItems => Items.Cast<Item>().Select(item => (item.Name, (IBindings)item));

    /// <summary>The symbols that a build is told: those of inputs, and those of a fusion, which its tower gives.</summary>
    public Dictionary<string, long> Dimensions => plugin.Inputs.Select(port => port.Type)
        .Concat(plugin.Outputs.Select(port => port.Type).Where(type => type.Structure == PortStructure.Fusion))
        .SelectMany(type => type.Dimensions).SelectMany(dimension => dimension.Symbols).Distinct()
        .Where(name => !dynamic.Contains(name)).ToDictionary(name => name, name => Needed(this, name));

    public long? Symbol(string name) => symbols.TryGetValue(name, out var value) ? value : null;

    public long? Option(string name) => options.TryGetValue(name, out var value) ? value : null;

    /// <summary>A dimension's value.</summary>
    public static long Value(Expression dimension, IBindings bindings)
    {
        foreach (var symbol in dimension.Symbols) Needed(bindings, symbol);
        return dimension.Evaluate(bindings, exact: true)!.Value;
    }

    public static bool IsSequence(PortDescription port) => port.Type.Structure is PortStructure.Sequence or PortStructure.Ids;

    private static long Needed(IBindings bindings, string symbol)
    {
        if (bindings.Symbol(symbol) is { } value) return value;
        Assert.Fail($"{PluginSample.FileName} gives no value for the dimension '{symbol}'; add it to \"{(symbol.EndsWith("_i", StringComparison.Ordinal) ? "inputs" : "dimensions")}\"");
        return 0;
    }

    private sealed class Item(PortBindings node, string name, IReadOnlyDictionary<string, long> own) : IBindings
    {
        public string Name => name;

        public IReadOnlyList<IBindings> Items => [];

        public long? Symbol(string symbol) => own.TryGetValue(symbol, out var value) ? value : node.Symbol(symbol);

        public long? Option(string option) => node.Option(option);
    }
}
