namespace PluginHost.Sdk;

/// <summary>
/// The versions of this contract with which a plugin assembly works, read without loading it. The build files of
/// <c>PluginHost.Sdk.Build</c> write it, from the version compiled against up to the next major one; the property
/// <c>PluginHostSdkRange</c> sets another.
/// </summary>
/// <param name="range">A NuGet version range, such as <c>[1.2.0,2.0.0)</c>.</param>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class SdkRangeAttribute(string range) : Attribute
{
    /// <summary>A NuGet version range, such as <c>[1.2.0,2.0.0)</c>.</summary>
    public string Range { get; } = range;
}
