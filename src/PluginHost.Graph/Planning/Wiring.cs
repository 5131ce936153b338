using PluginHost.Catalog.Ports;
using PluginHost.Config;
using PluginHost.Config.Json;

namespace PluginHost.Graph.Planning;

/// <summary>Connects inputs to outputs and solves the dimensions of both ends, in either direction.</summary>
internal sealed class Wiring(IReadOnlyList<DraftPort> sample, IReadOnlyList<DraftNode> nodes, IReadOnlySet<string> broken, bool hasText, List<ConfigError> errors)
{
    private readonly List<(DraftInput Input, JsonLocation Location, int Index)> open = [];
    private readonly HashSet<DraftInput> failed = [];
    private bool tokenizerMissed;

    private IEnumerable<DraftPort> Outputs => sample.Concat(nodes.SelectMany(node => node.Outputs));

    /// <summary>Follows the wires that the config gives a node.</summary>
    public void Connect(DraftNode node)
    {
        foreach (var wire in node.Config.In)
        {
            if (node.Input(wire.Input) is not { } input)
            {
                node.Miswired = true;
                errors.Add(new ConfigError(wire.Location, $"{node.Title} has no input '{wire.Input}'{NearestName.Suggestion(wire.Input, node.Inputs.Select(known => known.Port.Name))}"));
            }
            else if (input.Port.Type.Structure == PortStructure.Text)
                errors.Add(new ConfigError(wire.Location, $"input '{wire.Input}' of {node.Title} is filled by the evaluation itself; leave it out"));
            else if (Output(wire) is { } output)
                Join(input, output, wire.Location);
            else
                input.Broken = true;
        }
    }

    /// <summary>Wires what the config left out to the only output of the same name and a fitting type.</summary>
    public void Complete(DraftNode node)
    {
        foreach (var input in node.Inputs.Where(input => input is { Source: null, Optional: false, Broken: false } && !node.Miswired))
        {
            if (input.Port.Type.Structure == PortStructure.Text) continue;
            if (input.Port.Type.Structure == PortStructure.Ids && !hasText)
            {
                NeedTokenizer(node.Location, $"input '{input.Port.Name}' of {node.Title}");
                continue;
            }
            var same = Outputs.Where(output => output.Owner != node && output.Name == input.Port.Name && output.Fits(input.Port)).ToArray();
            if (same.Length == 1) Join(input, same[0], node.Location);
            else if (same.Length > 1 || broken.Count == 0) errors.Add(new ConfigError(node.Location, Missing(node, input, same)));
        }
        if (node.Plugin.Variadic is { } any && node.Config.In.Count == 0)
            errors.Add(new ConfigError(node.Location, $"{node.Title} needs at least one input of type {any.Type}; {Candidates(new DraftPort(node, any.Name, any.Type, node.Scope.AddItem()), node)}"));
    }

    /// <summary>Solves what could not be solved when its wire was drawn, until nothing moves.</summary>
    public void Settle()
    {
        for (var before = -1; before != open.Count;)
        {
            before = open.Count;
            foreach (var item in open.ToArray())
            {
                var equality = Equate(item.Input, item.Index);
                if (equality == Equality.Unknown) continue;
                open.Remove(item);
                if (equality == Equality.Fails) Mismatch(item.Input, item.Location, item.Index);
            }
        }
    }

    private DraftPort? Output(Wire wire)
    {
        var dot = wire.Source.IndexOf('.', StringComparison.Ordinal);
        var (owner, name) = (wire.Source[..dot], wire.Source[(dot + 1)..]);
        if (broken.Contains(owner)) return null;
        var ports = owner == SamplePorts.Node ? sample : nodes.FirstOrDefault(node => node.Name == owner)?.Outputs;
        if (ports?.FirstOrDefault(port => port.Name == name) is { } output) return output;
        if (ports is null)
            errors.Add(new ConfigError(wire.Location, $"'{wire.Source}' names no node of the graph{NearestName.Suggestion(wire.Source, Outputs.Select(output => output.FullName))}"));
        else if (owner == SamplePorts.Node && !hasText && SamplePorts.All.Any(port => SamplePorts.IsText(port) && SamplePorts.NameOf(port) == name))
            NeedTokenizer(wire.Location, $"'{wire.Source}'");
        else
            errors.Add(new ConfigError(wire.Location, $"{owner} has no output '{name}'{NearestName.Suggestion(wire.Source, ports.Select(port => port.FullName))}"));
        return null;
    }

    // Said once: one tokenizer mends it everywhere.
    private void NeedTokenizer(JsonLocation location, string what)
    {
        if (!tokenizerMissed) errors.Add(new ConfigError(location, $"{what} needs a tokenizer; name one under 'data', such as \"tokenizer\": \"tokenizer.byte-bpe\""));
        tokenizerMissed = true;
    }

    private void Join(DraftInput input, DraftPort output, JsonLocation location)
    {
        input.Source = output;
        if (output.Type.Structure != input.Port.Type.Structure || output.Type.Dimensions.Count != input.Port.Type.Dimensions.Count)
        {
            Mismatch(input, location, null);
            return;
        }
        for (var i = 0; i < output.Type.Dimensions.Count; i++)
        {
            var equality = Equate(input, i);
            if (equality == Equality.Unknown) open.Add((input, location, i));
            if (equality == Equality.Fails) Mismatch(input, location, i);
        }
    }

    private static Equality Equate(DraftInput input, int index) => DimensionSolver.Equate(
        new Term(input.Source!.Type.Dimensions[index], input.Source.Scope), new Term(input.Port.Type.Dimensions[index], input.Port.Scope),
        $"'{input.Source.FullName}'", $"'{input.Port.Name}' of {input.Port.Owner!.Title}");

    private void Mismatch(DraftInput input, JsonLocation location, int? index)
    {
        if (!failed.Add(input)) return;
        var (source, port) = (input.Source!, input.Port);
        var why = index is { } at && new Term(port.Type.Dimensions[at], port.Scope).Variable is { } variable ? Reason(port.Type.Dimensions[at], variable) : "";
        errors.Add(new ConfigError(location, $"'{source.FullName}' is {source.Shape}, but input '{port.Name}' of {port.Owner!.Title} takes {FormulaText.Of(port.Type, port.Scope)}{why}{Instead(input)}"));
    }

    private static string Reason(Expression dimension, DimensionVariable variable)
    {
        var symbol = ((SymbolExpression)dimension).Name;
        if (variable.Dynamic is { } dynamic) return $", where {symbol} is {dynamic}";
        return variable.Value is { } value ? $", where {symbol} is {value} by {variable.Origin}" : "";
    }

    private string Instead(DraftInput input)
    {
        var siblings = Outputs.Where(output => output.Owner == input.Source!.Owner && output != input.Source && output.Fits(input.Port)).ToArray();
        return siblings.Length > 0 ? $"; did you mean '{siblings[0].FullName}'?" : $"; {Candidates(input.Port, input.Port.Owner!, input.Source)}";
    }

    private string Candidates(DraftPort input, DraftNode node, DraftPort? but = null)
    {
        var fitting = Outputs.Where(output => output.Owner != node && output != but && output.Fits(input)).Select(output => $"'{output.FullName}'").Take(6).ToArray();
        return fitting.Length == 0 ? "no output of this graph fits" : $"what fits: {string.Join(", ", fitting)}";
    }

    private string Missing(DraftNode node, DraftInput input, DraftPort[] same)
    {
        var takes = $"{node.Title} needs its input '{input.Port.Name}' ({FormulaText.Of(input.Port.Type, input.Port.Scope)}) wired";
        return same.Length > 1 ? $"{takes}: several outputs have its name: {string.Join(", ", same.Select(output => $"'{output.FullName}'"))}" : $"{takes}; {Candidates(input.Port, node)}";
    }
}
