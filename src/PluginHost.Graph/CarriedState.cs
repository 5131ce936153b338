using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Graph;

/// <summary>What became of the weights when a graph was rebuilt; full names, such as <c>fusion.layers.0.gate</c>.</summary>
/// <param name="Carried">Taken over from the former graph.</param>
/// <param name="Fresh">Of a new name or shape: initialised, and trained from here on.</param>
/// <param name="Dropped">In the former graph alone.</param>
public sealed record CarriedState(IReadOnlyList<string> Carried, IReadOnlyList<string> Fresh, IReadOnlyList<string> Dropped)
{
    internal static CarriedState Carry(ExecutableGraph from, ExecutableGraph to)
    {
        using var noGradient = no_grad();
        List<string> carried = [], fresh = [], dropped = [];
        foreach (var former in from.Owned.Where(node => to.Owned.All(other => other.Name != node.Name)))
            dropped.AddRange(former.State.Select(item => $"{former.Name}.{item.Name}"));
        foreach (var node in to.Owned)
        {
            if (from.Owned.FirstOrDefault(other => other.Name == node.Name) is not { } former)
            {
                fresh.AddRange(node.State.Select(item => $"{node.Name}.{item.Name}"));
                continue;
            }
            if (ReferenceEquals(former, node)) continue;
            var old = former.State.ToDictionary(item => item.Name, item => item.Value);
            var filled = (node.Node as IStateCarrier)?.Carry(old).ToHashSet() ?? [];
            foreach (var (name, value) in node.State)
            {
                var same = !filled.Contains(name) && old.TryGetValue(name, out var source) && source.shape.SequenceEqual(value.shape);
                if (same) value.copy_(old[name]);
                (same || filled.Contains(name) ? carried : fresh).Add($"{node.Name}.{name}");
            }
            dropped.AddRange(old.Keys.Where(name => node.State.All(item => item.Name != name)).Select(name => $"{node.Name}.{name}"));
        }
        return new CarriedState(carried, fresh, dropped);
    }
}
