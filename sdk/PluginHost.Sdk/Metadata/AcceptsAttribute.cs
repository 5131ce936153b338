namespace PluginHost.Sdk;

/// <summary>File extensions that a <c>media</c> plugin decodes, in lower case with the dot.</summary>
/// <param name="extensions">For example <c>".png", ".jpg"</c>; <c>"*"</c> takes whatever no other decoder takes.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class AcceptsAttribute(params string[] extensions) : Attribute
{
    /// <summary>The extensions, in lower case with the dot, or <c>*</c>.</summary>
    public IReadOnlyList<string> Extensions { get; } = extensions;
}
