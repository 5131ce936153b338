using PluginHost.Catalog;
using PluginHost.Catalog.Health;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Graph.Execution;

/// <summary>Builds nodes from plans: leases the plugin and seeds torch.</summary>
internal sealed class NodeBuilder(PluginCatalog catalog, GraphSettings settings)
{
    /// <summary>Builds a node.</summary>
    /// <param name="plan">What to build.</param>
    /// <param name="name">Its name in the graph.</param>
    /// <param name="role">Distinguishes the seeds of a node and an objective of one name: <c>node</c>, <c>objective</c>.</param>
    public BuiltNode Build(PlannedNode plan, string name, string role)
    {
        settings.Cancellation.ThrowIfCancellationRequested();
        var lease = catalog.Lease(plan.Description, plan.Settings);
        try
        {
            var seed = StableSeed.Of(settings.Seed, $"{role}/{plan.Name}");
            var context = new BuildContext
            {
                Device = settings.Device,
                Seed = seed,
                Checkpoint = plan.Checkpoint,
                Logger = settings.Loggers.CreateLogger($"{plan.Name} ({plan.Description.Id})"),
                Cancellation = settings.Cancellation,
                ContentFolder = plan.Description.Folder,
                Inputs = [.. plan.Inputs.Where(input => input.Source is not null).Select(input => new SolvedPort(input.Name, input.Source!, input.Shape.Values))],
                Dimensions = plan.Dimensions,
            };
            random.manual_seed(seed);
            var node = Build(lease, plan, context);
            if (node is nn.Module module)
            {
                Adopt(module);
                lease.NativeBytes = module.parameters().Concat(module.buffers()).Sum(tensor => tensor.numel() * tensor.element_size());
            }
            return new BuiltNode(name, plan, node, lease);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    private static IGraphNode Build(PluginLease lease, PlannedNode plan, BuildContext context)
    {
        try
        {
            // Weights outlive the scope that the caller may be in; what else a build makes does not.
            using var scope = NewDisposeScope();
            var node = lease.As<INodePlugin>().Build(context);
            if (node is nn.Module module) Detach(module);
            return node;
        }
        catch (Exception error)
        {
            var failure = PluginFailedException.From(error, plan.Description.Id, $"building '{plan.Name}'");
            if (failure is PluginFailedException) lease.Health.Fail(failure.Message);
            throw failure;
        }
    }

    private static void Detach(nn.Module module)
    {
        foreach (var parameter in module.parameters()) parameter.DetachFromDisposeScope();
        foreach (var buffer in module.buffers()) buffer.DetachFromDisposeScope();
    }

    private void Adopt(nn.Module module)
    {
        if (settings.Device.type != DeviceType.CPU) module.to(settings.Device);
    }
}
