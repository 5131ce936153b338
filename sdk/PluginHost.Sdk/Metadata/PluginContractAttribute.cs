namespace PluginHost.Sdk;

/// <summary>
/// Marks an assembly as the contract of a kind that a plugin package defines. The package brings the assembly in its plugin folder;
/// plugins of other packages that implement the kind refer to it without a copy of their own, and the host gives them the
/// defining plugin's.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class PluginContractAttribute : Attribute;
