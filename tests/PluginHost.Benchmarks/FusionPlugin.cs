using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Catalog;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Benchmarks;

/// <summary>fusion.mid from the plugin folder, brought to life, trained and let go. Plugin objects never leave a method's frame here.</summary>
internal sealed class FusionPlugin : IDisposable
{
    private const int TrainingSteps = 3;
    private const int Width = 64;
    private readonly PluginCatalog catalog = PluginCatalog.Discover(
        [typeof(FusionPlugin).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "Plugins").Value!]);
    private PluginLease? lease;
    private IFusion? node;

    /// <summary>What a fusion between text of a width of 64 and one modality is built with.</summary>
    public static BuildContext Context() => new()
    {
        Device = CPU,
        Logger = NullLogger.Instance,
        ContentFolder = "",
        Dimensions = new Dictionary<string, long> { ["D"] = Width, ["L"] = 2, ["V"] = 640 },
        Inputs = [new SolvedPort("image", "image.tokens", [null, null, Width])],
    };

    /// <summary>A batch of the modality, [8, 64, 64].</summary>
    public static Masked Tokens() => new(randn(8, 64, Width), ones(8, 64, dtype: ScalarType.Bool));

    /// <summary>One pass of a fusion over text [8, 128, 64].</summary>
    public static Tensor Pass(IFusion fusion, Masked tokens, Tensor hidden) => fusion.Fuse([tokens]).BetweenLayers(0, hidden);

    public static Tensor Hidden() => randn(8, 128, Width);

    public IFusion Node => node!;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Load()
    {
        lease = catalog.Lease("fusion.mid", new Dictionary<string, object?>());
        node = (IFusion)lease.As<INodePlugin>().Build(Context());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Train()
    {
        var module = (nn.Module)node!;
        using var optimizer = optim.AdamW(module.parameters().ToArray());
        using var tokens = Tokens().Data;
        for (var step = 0; step < TrainingSteps; step++)
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            Pass(node!, new Masked(tokens, ones(8, 64, dtype: ScalarType.Bool)), Hidden()).square().mean().backward();
            optimizer.step();
        }
    }

    public void Unload()
    {
        Release();
        var verdict = catalog.UnloadAsync("fusion.mid", TimeSpan.FromSeconds(5)).GetAwaiter().GetResult();
        if (verdict.Outcome != UnloadOutcome.Unloaded) throw new InvalidOperationException(verdict.Detail);
    }

    public void Dispose() => catalog.Dispose();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Release()
    {
        (node as IDisposable)?.Dispose();
        node = null;
        lease!.Dispose();
        lease = null;
    }
}
