using TorchSharp;

namespace PluginHost.Sdk.Layers;

/// <summary>
/// Numbers that layers need in every step. A number given to an operator becomes a native object with a finalizer, and so does the 1
/// behind every <c>a + b</c>: made once, they neither fill the finalizer's queue nor can they be collected under a running operator.
/// </summary>
public static class Scalars
{
    /// <summary>1.</summary>
    public static Scalar One { get; } = 1;
}
