using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Inspection;

/// <summary>What a plugin folder turned out to hold.</summary>
/// <param name="Plugins">Its plugins.</param>
/// <param name="Faults">Why it, or a class of it, cannot be used.</param>
/// <param name="Contracts">The contract assemblies that it brings for plugins of other packages: path by name.</param>
internal sealed record FolderContent(IReadOnlyList<PluginDescription> Plugins, IReadOnlyList<PluginFault> Faults, IReadOnlyDictionary<string, string> Contracts)
{
    public FolderContent(PluginFault fault) : this([], [fault], new Dictionary<string, string>())
    {
    }
}

/// <summary>Inspects a plugin folder by metadata alone: none of its code runs, and it is open only while this lasts.</summary>
internal static class FolderInspection
{
    /// <param name="folder">The folder.</param>
    /// <param name="contracts">Contract assemblies that other packages bring: path by name.</param>
    public static FolderContent Inspect(string folder, IReadOnlyDictionary<string, string> contracts)
    {
        try
        {
            return Read(folder, contracts);
        }
        catch (FolderFaultException fault)
        {
            return new FolderContent(new PluginFault(folder, fault.Message));
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // Metadata of strangers: whatever is wrong with it must not stop the host.
            return new FolderContent(new PluginFault(folder, $"its metadata cannot be read: {error.Message}"));
        }
    }

    private static FolderContent Read(string folder, IReadOnlyDictionary<string, string> contracts)
    {
        var main = Path.Combine(folder, Path.GetFileName(folder) + ".dll");
        if (!File.Exists(main))
            throw new FolderFaultException($"there is no {Path.GetFileName(main)}; a plugin folder holds an assembly of its own name");
        CheckDependencyFile(main);
        var own = Directory.EnumerateFiles(folder, "*.dll").ToDictionary(file => Path.GetFileNameWithoutExtension(file)!, StringComparer.OrdinalIgnoreCase);
        foreach (var name in own.Keys.Where(SharedAssemblies.IsContract))
            throw new FolderFaultException($"it brings its own copy of {name}.dll, so none of its types would be the host's; refer to it with ExcludeAssets=\"runtime;native\" (a project: Private=\"false\")");

        using var context = new MetadataLoadContext(new PathAssemblyResolver(Candidates(own, contracts)), "System.Private.CoreLib");
        var assembly = Load(context, main);
        var used = DependencyCheck.Run(context, assembly, own, contracts);
        foreach (var item in context.GetAssemblies().Where(item => own.ContainsKey(item.GetName().Name!))) CheckPlatform(item);
        var brought = context.GetAssemblies().Where(IsContract).Select(item => item.GetName().Name!).Where(own.ContainsKey).ToDictionary(name => name, name => own[name]);
        return Describe(folder, main, assembly, used, brought);
    }

    private static Assembly Load(MetadataLoadContext context, string main)
    {
        try
        {
            return context.LoadFromAssemblyPath(main);
        }
        catch (BadImageFormatException)
        {
            throw new FolderFaultException($"{Path.GetFileName(main)} is not a .NET assembly: it is empty, truncated or something else");
        }
    }

    private static FolderContent Describe(string folder, string main, Assembly assembly, IReadOnlyList<string> used, Dictionary<string, string> brought)
    {
        var plugins = new List<PluginDescription>();
        var faults = new List<PluginFault>();
        var hash = FolderHash.Of(folder);
        foreach (var type in assembly.GetTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            try
            {
                if (PluginInspection.Describe(type) is { } plugin)
                    plugins.Add(plugin with { Folder = folder, AssemblyPath = main, Hash = hash, Contracts = used });
            }
            catch (Exception error) when (error is FolderFaultException or FormatException)
            {
                faults.Add(new PluginFault(folder, $"{type.FullName}: {error.Message}"));
            }
        }
        if (plugins.Count + faults.Count + brought.Count == 0)
            faults.Add(new PluginFault(folder, $"{Path.GetFileName(main)} has no class marked [Plugin(\"kind.name\", \"...\")]"));
        return new FolderContent(plugins, faults, brought);
    }

    private static void CheckPlatform(Assembly assembly)
    {
        assembly.ManifestModule.GetPEKind(out _, out var machine);
        var wanted = machine switch
        {
            ImageFileMachine.AMD64 => Architecture.X64,
            ImageFileMachine.ARM => Architecture.Arm,
            (ImageFileMachine)0xAA64 => Architecture.Arm64, // IMAGE_FILE_MACHINE_ARM64
            _ => RuntimeInformation.ProcessArchitecture, // any
        };
        if (wanted != RuntimeInformation.ProcessArchitecture)
            throw new FolderFaultException($"{assembly.GetName().Name}.dll is built for {wanted}, and this host runs on {RuntimeInformation.ProcessArchitecture}; build it for AnyCPU, or install the package for this platform");
    }

    private static bool IsContract(Assembly assembly) =>
        assembly.GetCustomAttributesData().Any(data => data.AttributeType.FullName == typeof(PluginContractAttribute).FullName);

    private static void CheckDependencyFile(string main)
    {
        var file = Path.ChangeExtension(main, ".deps.json");
        if (!File.Exists(file)) return;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        }
        catch (JsonException)
        {
            throw new FolderFaultException($"{Path.GetFileName(file)} is not valid JSON; build or install the plugin again");
        }
    }

    // The shared assemblies are the host's, everything else is the plugin's own before it is the host's or the runtime's.
    private static IEnumerable<string> Candidates(Dictionary<string, string> own, IReadOnlyDictionary<string, string> contracts)
    {
        var paths = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, path) in own)
            if (!SharedAssemblies.Contains(name)) paths[name] = path;
        foreach (var (name, path) in contracts) paths.TryAdd(name, path);
        string[] folders = [SharedAssemblies.HostFolder, RuntimeEnvironment.GetRuntimeDirectory()];
        foreach (var path in folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*.dll"))) paths.TryAdd(Path.GetFileNameWithoutExtension(path), path);
        return paths.Values;
    }
}

/// <summary>Ends the inspection of a folder, or of a class, with the reason.</summary>
internal sealed class FolderFaultException(string message) : Exception(message);
