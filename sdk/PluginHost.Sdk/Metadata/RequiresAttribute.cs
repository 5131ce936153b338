namespace PluginHost.Sdk;

/// <summary>
/// A capability that the host must supply before the plugin can work: one of <see cref="Sdk.Capability"/>. Read from metadata: a host that
/// cannot supply it refuses the plugin where it is used, before any of its code runs. The plugin gets it by <see cref="BuildContext.Required{T}"/>.
/// </summary>
/// <param name="capability">Name of the capability, in kebab case.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class RequiresAttribute(string capability) : Attribute
{
    /// <summary>Name of the capability, in kebab case.</summary>
    public string Capability { get; } = capability;

    /// <summary>Name of the option, a nullable text, that says which trained run it comes from: the run's folder, its name, or an alias such as <c>latest</c>.</summary>
    public string? From { get; init; }

    /// <summary>Whether the plugin also works without: then the capability is supplied where the option has a value.</summary>
    public bool Optional { get; init; }
}

/// <summary>Names of what a host can supply.</summary>
public static class Capability
{
    /// <summary>
    /// The encoders of a trained run that a contrastive objective has brought into one space, as
    /// <see cref="Microsoft.Extensions.AI.IEmbeddingGenerator{TInput, TEmbedding}"/> of <see cref="Microsoft.Extensions.AI.AIContent"/> and
    /// <see cref="Microsoft.Extensions.AI.Embedding{T}"/> of <see cref="float"/>. It embeds <see cref="Microsoft.Extensions.AI.TextContent"/> and, as far as the
    /// run has an encoder for them, <see cref="Microsoft.Extensions.AI.DataContent"/> of <c>image/*</c> and <c>audio/*</c>; see <see cref="MediaData"/>. Vectors have
    /// length 1. Safe for concurrent calls, which take turns: embed many at once. What it cannot decode is a <see cref="BadSampleException"/>.
    /// </summary>
    public const string EmbeddingGenerator = "embedding-generator";

    /// <summary>The decoder of a trained run as <see cref="ITextScorer"/>.</summary>
    public const string TextScorer = "text-scorer";
}
