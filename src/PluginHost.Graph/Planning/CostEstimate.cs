using PluginHost.Catalog.Ports;

namespace PluginHost.Graph.Planning;

/// <summary>Evaluates cost formulas; the batch counts as the first stage's, a text as long as the project's longest row.</summary>
internal sealed class CostEstimate(PortScope scope, DimensionVariable batch, long batchSize, IReadOnlyCollection<DimensionVariable> texts, long textLength) : IBindings
{
    public IReadOnlyList<IBindings> Items => [.. scope.Items.Cast<PortScope>().Select(item => new CostEstimate(item, batch, batchSize, texts, textLength))];

    public long? Symbol(string name)
    {
        var root = scope.Variable(name).Root;
        return root == batch ? batchSize : texts.Contains(root) ? textLength : root.Value;
    }

    public long? Option(string name) => scope.Option(name);

    /// <summary>The value; null without a formula, with a dynamic symbol in it, or when it has none.</summary>
    public long? Of(Expression? formula)
    {
        try
        {
            return formula?.Evaluate(this, exact: false);
        }
        catch (ArithmeticException)
        {
            return null;
        }
    }
}
