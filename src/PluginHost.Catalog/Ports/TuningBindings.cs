using PluginHost.Sdk;

namespace PluginHost.Catalog.Ports;

/// <summary>A projection that a tuning may name, with the sizes of its weight.</summary>
public sealed record TunableProjection(string Name, long Rows, long Inputs);

/// <summary>What a tuning's cost formula is evaluated over: <c>P</c>, <c>S</c>, its options, and in <c>sum(...)</c> <c>R_i</c> and <c>D_i</c> of its targets.</summary>
/// <param name="parameters">Parameters of the graph; null: not known.</param>
/// <param name="keyValues">Numbers in the keys and values of one position of all decoder layers; null: not known.</param>
/// <param name="projections">The projections of all towers; null: not known.</param>
/// <param name="plugin">The tuning.</param>
/// <param name="settings">Its settings.</param>
public sealed class TuningBindings(
    long? parameters, long? keyValues, IReadOnlyList<TunableProjection>? projections, PluginDescription plugin, IReadOnlyDictionary<string, object?> settings) : IBindings
{
    /// <summary>The names that its option <c>targets</c> gives.</summary>
    public static IReadOnlyList<string> Targets(IReadOnlyDictionary<string, object?> settings) => settings.GetValueOrDefault("targets") as string[] ?? [];

    public IReadOnlyList<IBindings> Items =>
        [.. (projections ?? []).Where(item => Targets(settings).Any(target => NamePart.Matches(target, item.Name))).Select(item => new Item(this, item))];

    /// <summary>How many parameters it trains by its own formula; null when it has none, something in it is not known, or a list besides the targets says more.</summary>
    public long? Trained => plugin.Options.Any(option => option.Array && option.Name != "targets" && settings[option.Name] is Array { Length: > 0 }) ? null
        : plugin.Parameters is not { } formula || (projections is null && formula.Nodes.OfType<SumExpression>().Any()) ? null : formula.Evaluate(this, exact: false);

    public long? Symbol(string name) => name switch { "P" => parameters, "S" => keyValues, _ => null };

    public long? Option(string name) => plugin.Options.FirstOrDefault(option => option.ClrName == name) is not { } option ? null : settings[option.Name] switch
    {
        long number => number,
        bool flag => flag ? 1 : 0,
        _ => null,
    };

    private sealed class Item(TuningBindings all, TunableProjection projection) : IBindings
    {
        public IReadOnlyList<IBindings> Items => [];

        public long? Symbol(string name) => name switch { "R_i" => projection.Rows, "D_i" => projection.Inputs, _ => all.Symbol(name) };

        public long? Option(string name) => all.Option(name);
    }
}
