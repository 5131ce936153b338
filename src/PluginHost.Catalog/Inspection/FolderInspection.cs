using System.Reflection;
using NuGet.Versioning;
using PluginHost.Catalog.Install;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Inspection;

/// <summary>What a plugin folder turned out to hold.</summary>
/// <param name="Plugins">Its plugins.</param>
/// <param name="Faults">Why it, or a class of it, cannot be used.</param>
/// <param name="Main">Path of its main assembly; empty when it cannot be used.</param>
/// <param name="Contracts">The contract assemblies that it brings for plugins of other packages: path by name.</param>
internal sealed record FolderContent(IReadOnlyList<PluginDescription> Plugins, IReadOnlyList<PluginFault> Faults, string Main, IReadOnlyDictionary<string, string> Contracts)
{
    public FolderContent(PluginFault fault) : this([], [fault], "", new Dictionary<string, string>())
    {
    }
}

/// <summary>Inspects a plugin folder by metadata alone: none of its code runs, and it is open only while this lasts.</summary>
internal static class FolderInspection
{
    /// <param name="folder">The folder; without a package it holds an assembly of its own name.</param>
    /// <param name="package">The installed package whose files these are: they must be the ones that were installed.</param>
    /// <param name="contracts">Contract assemblies that other packages bring: path by name.</param>
    /// <param name="assembly">Name of the main assembly, where neither the folder nor a package tells.</param>
    public static FolderContent Inspect(string folder, LockedPackage? package, IReadOnlyDictionary<string, string> contracts, string? assembly = null)
    {
        try
        {
            return Read(folder, package, contracts, assembly ?? package?.Assembly ?? Path.GetFileName(folder) + ".dll");
        }
        catch (Exception fault) when (fault is FolderFaultException or InstallFailedException)
        {
            return new FolderContent(new PluginFault(folder, fault.Message));
        }
        catch (Exception error)
        {
            // Metadata of strangers: whatever is wrong with it must not stop the host. Even too little memory is a wrong count in a damaged file.
            return new FolderContent(new PluginFault(folder, $"its metadata cannot be read: {error.Message}"));
        }
    }

    private static FolderContent Read(string folder, LockedPackage? package, IReadOnlyDictionary<string, string> contracts, string file)
    {
        package?.Verify(folder);
        var main = Path.Combine(folder, file);
        if (!File.Exists(main))
            throw new FolderFaultException($"there is no {Path.GetFileName(main)}; a plugin folder holds an assembly of its own name");
        AssemblyFileCheck.Run(main);
        DependencyFile.Check(main);
        if (package is not null) CheckRange(package.Sdk);
        var own = Directory.EnumerateFiles(folder, "*.dll").ToDictionary(file => Path.GetFileNameWithoutExtension(file)!, StringComparer.OrdinalIgnoreCase);
        foreach (var name in own.Keys.Where(SharedAssemblies.IsContract))
            throw new FolderFaultException($"it brings its own copy of {name}.dll, so none of its types would be the host's; refer to it with ExcludeAssets=\"runtime;native\" (a project: Private=\"false\")");

        using var context = new MetadataLoadContext(new FolderResolver(own, contracts), "System.Private.CoreLib");
        var assembly = context.LoadFromAssemblyPath(main);
        var range = PluginInspection.SdkRangeOf(assembly);
        CheckRange(range);
        var used = DependencyCheck.Run(context, assembly, own, contracts);
        SdkCheck.Members(own.Values, range);
        foreach (var item in context.GetAssemblies().Select(item => item.GetName().Name!).Where(own.ContainsKey)) AssemblyFileCheck.Run(own[item]);
        var brought = context.GetAssemblies().Where(IsContract).Select(item => item.GetName().Name!).Where(own.ContainsKey).ToDictionary(name => name, name => own[name]);
        return Describe(folder, main, assembly, package, used, brought);
    }

    private static void CheckRange(string text)
    {
        if (!VersionRange.TryParse(text, out var range)) throw new FolderFaultException($"'{text}' is no range of PluginHost.Sdk versions; [1.2.0,2.0.0) is one");
        if (SdkCheck.RangeProblem(range) is { } problem) throw new FolderFaultException(problem);
    }

    private static FolderContent Describe(string folder, string main, Assembly assembly, LockedPackage? package, IReadOnlyList<string> used, Dictionary<string, string> brought)
    {
        var plugins = new List<PluginDescription>();
        var faults = new List<PluginFault>();
        var hash = FolderHash.Of(folder);
        foreach (var type in assembly.GetTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            try
            {
                if (PluginInspection.Describe(type) is { } plugin)
                    plugins.Add(plugin with { Folder = folder, Origin = folder, AssemblyPath = main, Hash = hash, Contracts = used, Package = package });
            }
            catch (Exception error) when (error is FolderFaultException or FormatException)
            {
                faults.Add(new PluginFault(folder, $"{type.FullName}: {error.Message}"));
            }
        }
        if (plugins.Count + faults.Count + brought.Count == 0)
            faults.Add(new PluginFault(folder, $"{Path.GetFileName(main)} has no class marked [Plugin(\"kind.name\", \"...\")]"));
        return new FolderContent(plugins, faults, main, brought);
    }

    private static bool IsContract(Assembly assembly) =>
        assembly.GetCustomAttributesData().Any(data => data.AttributeType.FullName == typeof(PluginContractAttribute).FullName);
}

/// <summary>Ends the inspection of a folder, or of a class, with the reason.</summary>
internal sealed class FolderFaultException(string message) : Exception(message);
