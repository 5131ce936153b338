using PluginHost.Catalog;
using PluginHost.Catalog.Ports;
using PluginHost.Config;
using PluginHost.Config.Json;

namespace PluginHost.Graph.Planning;

/// <summary>A port of a node in the making.</summary>
/// <param name="Owner">Whose it is; null for the sample's.</param>
/// <param name="Name">Its name.</param>
/// <param name="Type">As declared.</param>
/// <param name="Scope">What its symbols mean.</param>
internal sealed record DraftPort(DraftNode? Owner, string Name, PortType Type, PortScope Scope)
{
    /// <summary>The name in wires: <c>image.tokens</c>.</summary>
    public string FullName => $"{Owner?.Name ?? SamplePorts.Node}.{Name}";

    public IEnumerable<Term> Terms
    {
        get
        {
            foreach (var dimension in Type.Dimensions) yield return new Term(dimension, Scope);
        }
    }

    public PortShape Shape => new(Type.Structure, [.. Terms.Select(term => term.Shown)]);

    /// <summary>Whether an input of this type could take a value of that one, as far as is known now.</summary>
    public bool Fits(DraftPort input) =>
        Type.Structure == input.Type.Structure && Type.Dimensions.Count == input.Type.Dimensions.Count &&
        Terms.Zip(input.Terms).All(pair => pair.First.Value is not { } a || pair.Second.Value is not { } b || a == b);
}

/// <summary>An input with what it is wired to.</summary>
internal sealed class DraftInput(DraftPort port, bool optional)
{
    public DraftPort Port { get; } = port;

    public bool Optional { get; } = optional;

    /// <summary>The output it reads; null while it is not wired.</summary>
    public DraftPort? Source { get; set; }

    /// <summary>Its wire could not be resolved, which has been reported.</summary>
    public bool Broken { get; set; }
}

/// <summary>A graph node, objective or metric while the plan is being made.</summary>
internal sealed class DraftNode
{
    /// <param name="trusted">Whether the settings are right; with wrong ones no dimension is derived from them, which would only add noise.</param>
    public DraftNode(NodeConfig config, PlannedPlugin use, DimensionVariable batch, bool trusted)
    {
        Config = config;
        Plugin = use.Description;
        Settings = use.Settings;
        Requirements = use.Requirements;
        Scope = new PortScope(batch, trusted ? Numbers(Plugin, Settings) : new Dictionary<string, long>());
        foreach (var input in Plugin.Inputs) Inputs.Add(new DraftInput(new DraftPort(this, input.Name, input.Type, Scope), input.Optional));
        DeclareDynamic();
        Outputs = [.. Plugin.Outputs.Select(output => new DraftPort(this, output.Name, output.Type, Scope))];
    }

    public NodeConfig Config { get; }

    public PluginDescription Plugin { get; }

    public IReadOnlyDictionary<string, object?> Settings { get; }

    /// <summary>What the host is to supply to it.</summary>
    public IReadOnlyList<PlannedRequirement> Requirements { get; }

    public PortScope Scope { get; }

    public List<DraftInput> Inputs { get; } = [];

    public IReadOnlyList<DraftPort> Outputs { get; }

    public string Name => Config.Name;

    public JsonLocation Location => Config.Use.Location;

    /// <summary>For messages: <c>fusion (fusion.mid)</c>.</summary>
    public string Title => Name == Plugin.Id ? Name : $"{Name} ({Plugin.Id})";

    /// <summary>A wire names an input that it does not have, so what is missing may just be misspelt.</summary>
    public bool Miswired { get; set; }

    /// <summary>The nodes it reads from.</summary>
    public IEnumerable<DraftNode> Sources => Inputs.Select(input => input.Source?.Owner).OfType<DraftNode>().Distinct();

    /// <summary>The input of a name, made on the spot for a variadic node; null when there is none.</summary>
    public DraftInput? Input(string name)
    {
        var input = Inputs.FirstOrDefault(input => input.Port.Name == name);
        if (input is not null || Plugin.Variadic is null) return input;
        input = new DraftInput(new DraftPort(this, name, Plugin.Variadic.Type, Scope.AddItem()), optional: false);
        Inputs.Add(input);
        return input;
    }

    // A length that only the node itself knows is dynamic; the dimensions of a fusion come from the tower that takes it.
    private void DeclareDynamic()
    {
        PortDescription[] inputs = [.. Plugin.Inputs, .. Plugin.Variadic is null ? [] : new[] { Plugin.Variadic }];
        var known = inputs.SelectMany(input => input.Type.Dimensions).SelectMany(dimension => dimension.Symbols).ToHashSet();
        foreach (var output in Plugin.Outputs.Where(output => output.Type.Structure != PortStructure.Fusion))
            foreach (var symbol in output.Type.Dimensions.SelectMany(dimension => dimension.Symbols).Where(symbol => symbol != "B" && !known.Contains(symbol)))
                Scope.Declare(symbol, $"{symbol} of {Name}");
    }

    private static Dictionary<string, long> Numbers(PluginDescription plugin, IReadOnlyDictionary<string, object?> settings)
    {
        var numbers = new Dictionary<string, long>();
        foreach (var option in plugin.Options.Where(option => option.Countable))
        {
            if (settings[option.Name] is long number) numbers[option.ClrName] = number;
            else if (settings[option.Name] is bool flag) numbers[option.ClrName] = flag ? 1 : 0;
        }
        return numbers;
    }
}
