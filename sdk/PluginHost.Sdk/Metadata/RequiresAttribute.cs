namespace PluginHost.Sdk;

/// <summary>
/// A capability that the host must supply before the plugin can work, such as <c>embedding-generator</c> or <c>chat-client</c>. Read
/// from metadata: a host without it refuses the plugin where it is used, before any of its code runs.
/// </summary>
/// <param name="capability">Name of the capability, in kebab case.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class RequiresAttribute(string capability) : Attribute
{
    /// <summary>Name of the capability, in kebab case.</summary>
    public string Capability { get; } = capability;
}
