namespace PluginHost.Sdk;

/// <summary>
/// Marks a class as a plugin. The class is public and sealed, implements one kind's plugin interface, and has one public
/// constructor that takes nothing or its options record. The host reads all of it from metadata, before any code runs.
/// </summary>
/// <param name="id">Kind and name in kebab case, joined by a dot: <c>fusion.cross-attention</c>.</param>
/// <param name="summary">One sentence on what the plugin does.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class PluginAttribute(string id, string summary) : Attribute
{
    /// <summary>Kind and name in kebab case: <c>fusion.cross-attention</c>. The kind is the part before the first dot.</summary>
    public string Id { get; } = id;

    /// <summary>One sentence on what the plugin does.</summary>
    public string Summary { get; } = summary;

    /// <summary>
    /// Whether the built node honours <see cref="BuildContext.Checkpoint"/>. Of another the host refuses <c>"checkpoint": true</c>
    /// when it plans.
    /// </summary>
    public bool Checkpoints { get; init; }
}
