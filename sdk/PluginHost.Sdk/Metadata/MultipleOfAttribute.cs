namespace PluginHost.Sdk;

/// <summary>
/// A rule between two options, on the options record: the value of <paramref name="option"/> is a multiple of the value of
/// <paramref name="divisor"/> (times <see cref="Factor"/>). Checked before any plugin code runs.
/// </summary>
/// <param name="option">Name of the option that must divide evenly.</param>
/// <param name="divisor">Name of the option that divides it.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class MultipleOfAttribute(string option, string divisor) : Attribute
{
    /// <summary>Name of the option that must divide evenly.</summary>
    public string Option { get; } = option;

    /// <summary>Name of the option that divides it.</summary>
    public string Divisor { get; } = divisor;

    /// <summary>An extra factor of the divisor; rotary embeddings, for instance, need an even head width (2).</summary>
    public int Factor { get; init; } = 1;
}
