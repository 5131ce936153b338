using System.Reflection;
using PluginHost.Sdk;

namespace PluginHost.Catalog;

/// <summary>The assemblies that host and plugins have in common. Everything else a plugin brings is its own.</summary>
internal static class SharedAssemblies
{
    /// <summary>The folder of the host's own assemblies.</summary>
    public static string HostFolder { get; } = Path.GetDirectoryName(typeof(PluginAttribute).Assembly.Location)!;

    /// <summary>Whether the host's copy is used whatever the plugin brings.</summary>
    public static bool Contains(string name) =>
        IsContract(name) || (name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal) && name.EndsWith(".Abstractions", StringComparison.Ordinal));

    /// <summary>Whether the name belongs to the contract itself, which a plugin must not bring.</summary>
    public static bool IsContract(string name) => name == "PluginHost.Sdk" || name == "TorchSharp" || name.StartsWith("TorchSharp.", StringComparison.Ordinal);

    /// <summary>Names of the shared assemblies that this host has.</summary>
    public static IReadOnlyList<AssemblyName> Names { get; } = [.. Directory.EnumerateFiles(HostFolder, "*.dll")
        .Select(file => Path.GetFileNameWithoutExtension(file)).Where(Contains).Select(name => new AssemblyName(name))];
}
