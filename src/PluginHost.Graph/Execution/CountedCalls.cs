using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Graph.Execution;

/// <summary>A decoder whose calls outside of the graph's steps (in generation) are counted and contained like those of a step.</summary>
internal sealed class CountedDecoder(BuiltNode node, IDecoder decoder) : IDecoder
{
    public IReadOnlyList<Projection> Projections => decoder.Projections;

    public IReadOnlyList<KeyValueSlot> KeyValueSlots => decoder.KeyValueSlots;

    public KeyValueCache CreateCache(int batch, int capacity) => decoder.CreateCache(batch, capacity);

    public Tensor Forward(TextBatch text, IFusionContext? context, KeyValueCache? cache)
    {
        var began = node.Health.Begin();
        try
        {
            var logits = decoder.Forward(text, context, cache);
            node.Health.End(began);
            return logits;
        }
        catch (Exception error)
        {
            throw GraphExecutionException.Contain(error, node.Plan, node.Health, began, [text.Ids, context]);
        }
    }
}

/// <summary>An objective whose calls are counted and contained like those of a step.</summary>
internal class CountedObjective(BuiltNode node, IObjective objective) : IObjective
{
    protected BuiltNode Node => node;

    public double Count(ReadOnlySpan<object?> inputs)
    {
        var began = node.Health.Begin();
        try
        {
            var count = objective.Count(inputs);
            node.Health.End(began);
            return count;
        }
        catch (Exception error)
        {
            throw GraphExecutionException.Contain(error, node.Plan, node.Health, began, inputs);
        }
    }

    public Tensor Sum(ReadOnlySpan<object?> inputs)
    {
        var began = node.Health.Begin();
        try
        {
            var sum = objective.Sum(inputs);
            node.Health.End(began);
            return sum;
        }
        catch (Exception error)
        {
            throw GraphExecutionException.Contain(error, node.Plan, node.Health, began, inputs);
        }
    }
}

/// <summary>The same for an objective that ranks.</summary>
internal sealed class CountedRanking(BuiltNode owner, IRankingObjective objective) : CountedObjective(owner, objective), IRankingObjective
{
    private IRankingObjective Scored { get; } = objective;

    public Tensor Scores(ReadOnlySpan<object?> inputs)
    {
        var began = Node.Health.Begin();
        try
        {
            var scores = Scored.Scores(inputs);
            Node.Health.End(began);
            return scores;
        }
        catch (Exception error)
        {
            throw GraphExecutionException.Contain(error, Node.Plan, Node.Health, began, inputs);
        }
    }
}
