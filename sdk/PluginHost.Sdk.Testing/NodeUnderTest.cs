using PluginHost.Catalog;
using PluginHost.Catalog.Ports;
using TorchSharp;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>A node built as the host builds it, with the batches that its ports take. To be used in a dispose scope.</summary>
public sealed class NodeUnderTest : IDisposable
{
    private readonly PluginUnderTest plugin;
    private readonly PluginLease lease;
    private readonly PortBindings bindings;

    internal NodeUnderTest(PluginUnderTest plugin, IReadOnlyDictionary<string, object?> settings, BuildContext surroundings)
    {
        this.plugin = plugin;
        bindings = new PortBindings(plugin.Description, plugin.Sample, settings);
        lease = plugin.Lease(settings);
        var context = new BuildContext
        {
            Device = surroundings.Device,
            Seed = surroundings.Seed,
            Logger = surroundings.Logger,
            ContentFolder = surroundings.ContentFolder,
            Cancellation = surroundings.Cancellation,
            Dimensions = bindings.Dimensions,
            Inputs = [.. Ports().Select(port => new SolvedPort(port.Name, $"{port.Name}.tokens", [.. Shape(port.Type, port.Bindings, new BatchCase()).Select((size, i) => IsDynamic(port.Type, i) ? null : (long?)size)]))],
        };
        random.manual_seed(surroundings.Seed);
        try
        {
            using var scope = NewDisposeScope();
            Node = lease.As<INodePlugin>().Build(context);
            foreach (var tensor in Parameters.Select(item => (Tensor)item.Value).Concat(Buffers.Select(item => item.Value))) tensor.DetachFromDisposeScope();
            Module?.eval();
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    /// <summary>The built node.</summary>
    public IGraphNode Node { get; }

    /// <summary>The node as a module; null when it has no weights.</summary>
    public nn.Module? Module => Node as nn.Module;

    /// <summary>What is trained.</summary>
    public IReadOnlyList<(string Name, Parameter Value)> Parameters => Module is null ? [] : [.. Module.named_parameters()];

    /// <summary>What is saved and not trained.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Buffers => Module is null ? [] : [.. Module.named_buffers()];

    /// <summary>Number of parameters by the plugin's own formula; null when it gives none.</summary>
    public long? DeclaredParameters => plugin.Description.Parameters?.Evaluate(bindings, exact: false);

    /// <summary>The value of a symbol of the ports, such as <c>D</c>.</summary>
    public long Dimension(string symbol) => PortBindings.Value(new SymbolExpression(symbol), bindings);

    /// <summary>Moves every parameter a little, as training would: a gate that starts at zero hides what is behind it.</summary>
    public void Shake()
    {
        random.manual_seed(3);
        using var noGradient = no_grad();
        foreach (var (_, parameter) in Parameters) parameter.add_(randn_like(parameter) * 0.02);
    }

    /// <summary>Inputs for one call, the same for the same case.</summary>
    /// <param name="batch">What the batch is like.</param>
    /// <param name="optional">Whether optional inputs are wired.</param>
    public object?[] Inputs(BatchCase batch, bool optional = true)
    {
        random.manual_seed(11);
        var declared = plugin.Description.Inputs;
        return [.. Ports().Select((port, i) => i < declared.Count && declared[i].Optional && !optional ? null : Make(port.Type, port.Bindings, batch))];
    }

    /// <summary>Runs the node and takes apart what comes out.</summary>
    /// <param name="inputs">As <see cref="Inputs"/> gives them.</param>
    public IReadOnlyList<Probe> Run(object?[] inputs)
    {
        // The same dropout in each call.
        random.manual_seed(13);
        if (Node is IObjective objective) return [new Probe("loss", objective.Sum(inputs), null)];
        var outputs = new object?[plugin.Description.Outputs.Count];
        Node.Run(inputs, outputs);
        return [.. plugin.Description.Outputs.Zip(outputs).SelectMany(pair => TakeApart(pair.First, pair.Second, inputs))];
    }

    /// <summary>Holds what came out against the declared port types; a length that only the node knows is taken as it comes.</summary>
    /// <param name="probes">What <see cref="Run"/> gave.</param>
    /// <param name="batch">The batch it was run with.</param>
    public void CheckShapes(IReadOnlyList<Probe> probes, BatchCase batch)
    {
        foreach (var port in plugin.Description.Outputs.Where(port => port.Type.Structure != PortStructure.Fusion))
        {
            var actual = probes.Single(probe => probe.Name == port.Name).Value.shape;
            var expected = port.Type.Dimensions.Select((dimension, i) => Known(dimension) ? Size(port.Type, i, bindings, batch) : (long?)null).ToArray();
            Assert.True(expected.Length == actual.Length && expected.Zip(actual).All(pair => pair.First is null || pair.First == pair.Second),
                $"'{port.Name}' is declared as {port.Type}, that is [{string.Join(',', expected.Select(size => size?.ToString() ?? "any"))}], and is [{string.Join(',', actual)}]");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        (Node as IDisposable)?.Dispose();
        lease.Dispose();
    }

    private IEnumerable<(string Name, PortType Type, IBindings Bindings)> Ports() =>
        plugin.Description.Inputs.Select(port => (port.Name, port.Type, (IBindings)bindings))
            .Concat(bindings.NamedItems.Select(item => (item.Name, plugin.Description.Variadic!.Type, item.Bindings)));

    private static bool IsDynamic(PortType type, int index) =>
        index == 0 || (index == 1 && type.Structure is PortStructure.Sequence or PortStructure.Ids && type.Dimensions[1] is SymbolExpression);

    private static long[] Shape(PortType type, IBindings bindings, BatchCase batch) => [.. type.Dimensions.Select((_, i) => Size(type, i, bindings, batch))];

    private static long Size(PortType type, int index, IBindings bindings, BatchCase batch)
    {
        var dimension = type.Dimensions[index];
        var dynamic = type.Structure != PortStructure.Fusion && dimension is SymbolExpression { Name: "B" or "T" or "N" or "N_i" };
        return batch.Single && dynamic ? 1 : PortBindings.Value(dimension, bindings);
    }

    // A symbol that no input has is the node's own.
    private bool Known(Expression dimension) => dimension.Symbols.All(symbol => symbol == "B" ||
        Ports().SelectMany(port => port.Type.Dimensions).SelectMany(other => other.Symbols).Contains(symbol));

    private static object Make(PortType type, IBindings bindings, BatchCase batch)
    {
        if (type.Structure != PortStructure.Fusion) return Values.Make(type, Shape(type, bindings, batch), batch);
        var rows = batch.Single ? 1 : bindings.Symbol("B")!.Value;
        return ProbeFusion.Make(rows, PortBindings.Value(type.Dimensions[0], bindings), PortBindings.Value(type.Dimensions[2], bindings), batch);
    }

    private IEnumerable<Probe> TakeApart(PortDescription port, object? value, object?[] inputs)
    {
        switch (value)
        {
            case Tensor tensor:
                return [new Probe(port.Name, tensor, PositionMask(port, tensor, inputs))];
            case Masked masked:
                Assert.True(masked.Mask.shape.SequenceEqual(masked.Data.shape.Take((int)masked.Mask.dim())), $"the mask of '{port.Name}' is [{string.Join(',', masked.Mask.shape)}] beside data [{string.Join(',', masked.Data.shape)}]");
                Assert.Equal(ScalarType.Bool, masked.Mask.dtype);
                return [new Probe(port.Name, masked.Data, Values.Over(masked.Mask, masked.Data)), new Probe($"{port.Name} mask", masked.Mask.to(ScalarType.Float32), null)];
            case IFusionContext context:
                return FusionPoints(context, ((Masked)inputs[0]!).Data.size(0));
            default:
                Assert.Fail($"'{port.Name}' of {plugin.Description.Id} is {value?.GetType().Name ?? "null"}, which is nothing that a port of type {port.Type} carries");
                return [];
        }
    }

    // Where a result stands for each position of a text, what it says at padding does not count.
    private Tensor? PositionMask(PortDescription port, Tensor tensor, object?[] inputs)
    {
        if (port.Type.Dimensions.Count < 3 || port.Type.Dimensions[1] is not SymbolExpression length) return null;
        var index = plugin.Description.Inputs.ToList().FindIndex(input => PortBindings.IsSequence(input) && input.Type.Dimensions[1] is SymbolExpression symbol && symbol == length);
        return index >= 0 && inputs[index] is Masked text ? Values.Over(text.Mask, tensor) : null;
    }

    private IEnumerable<Probe> FusionPoints(IFusionContext context, long rows)
    {
        var (width, tokens) = (Dimension("D"), Dimension("T"));
        if (context.Prefix is { } prefix)
        {
            Assert.Equal([rows, prefix.Data.size(1), width], prefix.Data.shape);
            Assert.Equal([rows, prefix.Data.size(1)], prefix.Mask.shape);
            yield return new Probe("prefix", prefix.Data, Values.Over(prefix.Mask, prefix.Data));
        }
        random.manual_seed(17);
        var hidden = context.AtInput(randn(1, tokens, width).expand(rows, tokens, width).contiguous());
        Assert.Equal([rows, tokens, width], hidden.shape);
        yield return new Probe("at input", hidden, null);
        for (var layer = 0; layer < Dimension("L"); layer++)
        {
            hidden = context.BetweenLayers(layer, hidden);
            Assert.Equal([rows, tokens, width], hidden.shape);
        }
        yield return new Probe("between layers", hidden, null);
        var logits = context.AtOutput(hidden, randn(1, tokens, Dimension("V")).expand(rows, tokens, Dimension("V")).contiguous());
        Assert.Equal([rows, tokens, Dimension("V")], logits.shape);
        yield return new Probe("at output", logits, null);
    }
}
