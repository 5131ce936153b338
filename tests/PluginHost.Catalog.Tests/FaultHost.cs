using System.Runtime.CompilerServices;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Catalog.Tests;

/// <summary>
/// A small host in a process of its own, for plugins that could take it down: uses one plugin and tells the events of its failures.
/// Started from the tests through this assembly's entry point.
/// </summary>
internal static class FaultHost
{
    public static int Main(string[] arguments)
    {
        FaultContainment.Install();
        using var catalog = PluginCatalog.Discover([FixturePlugins.Faults, FixturePlugins.Pins]);
        catalog.Events.Subscribe(new Teller());
        try
        {
            Use(catalog, arguments[0]);
        }
        catch (Exception error) when (error is PluginFailedException or BackwardFailedException)
        {
            Console.WriteLine($"{error.GetType().Name}: {error.Message}");
        }
        // What happens in threads, timers, tasks and finalizers has happened after this.
        for (var i = 0; i < 20; i++)
        {
            Thread.Sleep(25);
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Use(catalog, "metric.pin-type");
        Console.WriteLine("the others work");
        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Use(PluginCatalog catalog, string id)
    {
        using var lease = catalog.Lease(id, new Dictionary<string, object?>());
        if (catalog.Find(id)!.Kind == "metric")
        {
            lease.Guarded<ITextMetric>().Compute([]);
            return;
        }
        var node = lease.As<INodePlugin>().Build(new BuildContext { Device = CPU, Logger = Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, ContentFolder = "" });
        using var x = ones(2, 2, requires_grad: true);
        var outputs = new object?[1];
        node.Run([x], outputs);
        ((Tensor)outputs[0]!).sum().backward();
        Console.WriteLine($"gradient {x.grad!.sum().item<float>()}");
        BackwardFaults.ThrowIfAny();
    }

    private sealed class Teller : IObserver<PluginEvent>
    {
        public void OnNext(PluginEvent value)
        {
            if (value.Kind == PluginEventKind.Faulted) Console.WriteLine($"{value.Kind} {value.Id}: {value.Detail}");
        }

        public void OnError(Exception error) => throw error;

        public void OnCompleted()
        {
        }
    }
}
