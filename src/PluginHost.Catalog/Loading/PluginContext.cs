using System.Runtime.CompilerServices;
using McMaster.NETCore.Plugins;
using PluginHost.Catalog.Health;
using PluginHost.Catalog.Unloading;

namespace PluginHost.Catalog.Loading;

/// <summary>
/// A plugin's own collectible load context, filled from memory so that its files can be replaced while it runs.
/// </summary>
/// <remarks>
/// McMaster's shared list would share whatever the shared assemblies refer to (TorchSharp brings SkiaSharp and Google.Protobuf),
/// so every assembly that the plugin brings is named as private: private wins over shared. Lazy loading keeps the
/// closure from being loaded up front.
/// </remarks>
internal sealed class PluginContext : IDisposable
{
    private readonly PluginLoader loader;
    private readonly Type type;
    private readonly ContractHomes contracts;
    private readonly string[] homes = [];
    private readonly bool shared;
    private readonly string folder;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public PluginContext(PluginDescription plugin, PluginHealth health, ContractHomes contracts)
    {
        this.contracts = contracts;
        folder = plugin.Folder;
        try
        {
            shared = contracts.IsHome(folder);
            loader = shared ? contracts.Enter(folder) : Open(plugin.AssemblyPath);
            var assembly = loader.LoadDefaultAssembly();
            homes = contracts.Join(assembly, plugin.Contracts);
            type = assembly.GetType(plugin.TypeName, throwOnError: true)!;
            FaultOwner.Register(type, health);
        }
        catch (Exception error)
        {
            if (loader is not null) Dispose();
            throw PluginFailedException.From(error, plugin.Id, "being loaded");
        }
    }

    /// <summary>A loader for an assembly and what lies beside it.</summary>
    public static PluginLoader Open(string assembly)
    {
        var config = new PluginConfig(assembly) { IsUnloadable = true, LoadInMemory = true, IsLazyLoaded = true };
        foreach (var name in SharedAssemblies.Names) config.SharedAssemblies.Add(name);
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(assembly)!, "*.dll"))
        {
            var name = Path.GetFileNameWithoutExtension(file);
            if (!SharedAssemblies.Contains(name)) config.PrivateAssemblies.Add(new(name));
        }
        return new PluginLoader(config);
    }

    /// <summary>Whether it uses the load context of a folder that brings a contract.</summary>
    public bool Uses(string home) => homes.Contains(home) || (shared && folder == home);

    /// <summary>Dies when the context has been collected.</summary>
    public UnloadedContext Watch() => new(type);

    /// <summary>Makes an instance with settings that have been validated.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public object Create(PluginDescription plugin, IReadOnlyDictionary<string, object?> settings)
    {
        object? instance = null;
        Exception? failure = null;
        // Whatever the plugin puts into AsyncLocals stays inside: else the host's next timer would keep the plugin in memory.
        ExecutionContext.Run(ExecutionContext.Capture()!, _ =>
        {
            try
            {
                var constructor = type.GetConstructors()[0];
                object?[] arguments = [.. constructor.GetParameters().Select(parameter => OptionsBinder.Bind(parameter.ParameterType, plugin, settings))];
                instance = constructor.Invoke(arguments);
            }
            catch (Exception error)
            {
                failure = PluginFailedException.From(error, plugin.Id, "being created");
            }
        }, null);
        return failure is null ? instance! : throw failure;
    }

    public void Dispose()
    {
        if (shared) contracts.Leave(folder);
        else loader.Dispose();
        foreach (var home in homes) contracts.Leave(home);
    }
}
