using System.Globalization;
using PluginHost.Catalog.Ports;

namespace PluginHost.Graph.Planning;

/// <summary>Writes a formula with its options replaced by their values.</summary>
internal static class FormulaText
{
    public static string Of(Expression formula, PortScope scope) => formula switch
    {
        NumberExpression number => number.Value.ToString(CultureInfo.InvariantCulture),
        SymbolExpression symbol => symbol.Name,
        OptionExpression option => scope.Option(option.Name)?.ToString(CultureInfo.InvariantCulture) ?? $"{{{option.Name}}}",
        BinaryExpression binary => $"{Part(binary.Left, binary, scope)}{binary.Operator}{Part(binary.Right, binary, scope)}",
        SumExpression sum => $"sum({Of(sum.Body, scope)})",
        _ => formula.ToString(),
    };

    /// <summary>A port's declared type with its options replaced by their values.</summary>
    public static string Of(PortType type, PortScope scope) =>
        $"{PortType.NameOf(type.Structure)}[{string.Join(',', type.Dimensions.Select(dimension => Of(dimension, scope)))}]";

    private static string Part(Expression part, BinaryExpression whole, PortScope scope)
    {
        var text = Of(part, scope);
        return part is BinaryExpression inner && (Weak(inner) && !Weak(whole) || ReferenceEquals(part, whole.Right)) ? $"({text})" : text;
    }

    private static bool Weak(BinaryExpression binary) => binary.Operator is '+' or '-';
}
