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

    [MethodImpl(MethodImplOptions.NoInlining)]
    public PluginContext(PluginDescription plugin, PluginHealth health)
    {
        var config = new PluginConfig(plugin.AssemblyPath) { IsUnloadable = true, LoadInMemory = true, IsLazyLoaded = true };
        foreach (var name in SharedAssemblies.Names()) config.SharedAssemblies.Add(name);
        foreach (var file in Directory.EnumerateFiles(plugin.Folder, "*.dll"))
        {
            var name = Path.GetFileNameWithoutExtension(file);
            if (!SharedAssemblies.Contains(name)) config.PrivateAssemblies.Add(new(name));
        }
        try
        {
            loader = new PluginLoader(config);
            type = loader.LoadDefaultAssembly().GetType(plugin.TypeName, throwOnError: true)!;
            FaultOwner.Register(type, health);
        }
        catch (Exception error)
        {
            loader?.Dispose();
            throw PluginFailedException.From(error, plugin.Id, "being loaded");
        }
    }

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

    public void Dispose() => loader.Dispose();
}
