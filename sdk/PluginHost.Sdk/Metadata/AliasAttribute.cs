namespace PluginHost.Sdk;

/// <summary>Other names under which config files may give an option: those that other tools have for it, such as PEFT's <c>lora_alpha</c>.</summary>
/// <param name="names">The names, as files have them.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class AliasAttribute(params string[] names) : Attribute
{
    /// <summary>The names, as files have them.</summary>
    public IReadOnlyList<string> Names { get; } = names;
}
