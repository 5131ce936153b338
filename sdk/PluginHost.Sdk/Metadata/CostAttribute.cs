namespace PluginHost.Sdk;

/// <summary>
/// What a plugin costs, as formulas that the planner evaluates without building it. A formula is integer arithmetic
/// (<c>+ - * / ( )</c>, left to right by the usual precedence) over <c>{Option}</c> values (true is 1, false is 0) and the
/// symbols of the plugin's ports; <c>sum(...)</c> adds its body up over the wired variadic inputs, with <c>D_i</c> and the like
/// bound to each of them. A tuning, which has no ports, has the graph's numbers instead: <c>P</c> parameters, <c>S</c> numbers in the keys and values of one
/// position of all decoder layers, and <c>sum(...)</c> over the projections that its option <c>targets</c> names, of <c>R_i</c> rows and <c>D_i</c> inputs. A test of every first-party plugin holds the formula against the built module.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class CostAttribute : Attribute
{
    /// <summary>Number of trained parameters, for example <c>V*{Width} + {Layers}*12*{Width}*{Width}</c>.</summary>
    public string? Parameters { get; init; }

    /// <summary>Estimated floats kept for the backward pass of one batch, for example <c>B*N*{Width}*{Layers}*14</c>.</summary>
    public string? Activations { get; init; }
}
