namespace PluginHost.Sdk;

/// <summary>
/// A named input of a graph node. Its type is a structure and dimensions: <c>seq[B,N,D]</c>. A dimension is a number, a symbol
/// that the planner solves over the whole graph (<c>B</c> is the batch everywhere), <c>{Option}</c>, or integer arithmetic of
/// these (<c>H/{Patch}*W/{Patch}</c>; a division that leaves a remainder is a wiring error).
/// <list type="table">
/// <item><term><c>f[...]</c>, <c>i[...]</c>, <c>b[...]</c></term><description>a tensor of float, int64 or bool</description></item>
/// <item><term><c>pixels[B,C,H,W]</c></term><description><see cref="Masked"/>: pictures in 0..1, mask [B]</description></item>
/// <item><term><c>wave[B,S,R]</c></term><description><see cref="Masked"/>: S mono samples in -1..1 at R hertz, data and mask [B,S]</description></item>
/// <item><term><c>video[B,F,C,H,W]</c></term><description><see cref="Masked"/>: F frames in 0..1, mask [B,F]</description></item>
/// <item><term><c>seq[B,N,D]</c></term><description><see cref="Masked"/>: N tokens of width D, mask [B,N]</description></item>
/// <item><term><c>ids[B,T,V]</c></term><description><see cref="TextBatch"/>: T token ids below V</description></item>
/// <item><term><c>fusion[D,L,V]</c></term><description><see cref="IFusionContext"/> for a tower of width D, L layers, vocabulary V</description></item>
/// <item><term><c>text[N]</c></term><description>generated answers beside the truth, for metrics</description></item>
/// </list>
/// </summary>
/// <param name="name">Name of the port in config files.</param>
/// <param name="type">The port's type.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class InputAttribute(string name, string type) : Attribute
{
    /// <summary>Name of the port in config files.</summary>
    public string Name { get; } = name;

    /// <summary>The port's type, such as <c>seq[B,N,D]</c>.</summary>
    public string Type { get; } = type;

    /// <summary>Whether the node works without it; an unwired optional input arrives as null.</summary>
    public bool Optional { get; init; }
}

/// <summary>
/// Any number of inputs, named by the config and given in its order: a stranger's modality needs no new attribute. Symbols that
/// end in <c>_i</c> are solved for each input on its own. A node has at most one, after its other inputs.
/// </summary>
/// <param name="name"><c>*</c>: any name.</param>
/// <param name="type">The type of each, such as <c>seq[B,N_i,D_i]</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class InputsAttribute(string name, string type) : Attribute
{
    /// <summary><c>*</c>: any name.</summary>
    public string Name { get; } = name;

    /// <summary>The type of each input.</summary>
    public string Type { get; } = type;
}

/// <summary>A named output of a graph node; types as for <see cref="InputAttribute"/>.</summary>
/// <param name="name">Name of the port in config files.</param>
/// <param name="type">The port's type, such as <c>seq[B,N,{Width}]</c>.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class OutputAttribute(string name, string type) : Attribute
{
    /// <summary>Name of the port in config files.</summary>
    public string Name { get; } = name;

    /// <summary>The port's type.</summary>
    public string Type { get; } = type;
}
