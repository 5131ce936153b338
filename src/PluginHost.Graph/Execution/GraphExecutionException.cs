using PluginHost.Catalog.Health;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Graph;

/// <summary>A node threw while the graph ran. Holds strings only, so that it keeps no plugin in memory.</summary>
public sealed class GraphExecutionException(string message, string? pluginTrace) : Exception(message)
{
    /// <summary>The plugin's stack trace as text.</summary>
    public string? PluginTrace { get; } = pluginTrace;

    /// <summary>Counts a call that threw, and turns what it threw into an exception of the host's own.</summary>
    internal static Exception Contain(Exception error, PlannedNode node, PluginHealth health, long began, ReadOnlySpan<object?> inputs)
    {
        var failure = From(error, node, inputs);
        if (failure is GraphExecutionException) health.Fail(began, failure.Message);
        else health.Abandon(began);
        return failure;
    }

    private static Exception From(Exception error, PlannedNode node, ReadOnlySpan<object?> inputs)
    {
        if (error is OperationCanceledException) return new OperationCanceledException($"{node.Name} ({node.Description.Id}) was stopped.");
        if (error is UserErrorException) return new UserErrorException($"{node.Name} ({node.Description.Id}): {error.Message}");
        var arrived = new List<string>();
        for (var i = 0; i < Math.Min(inputs.Length, node.Inputs.Count); i++) arrived.Add($"{node.Inputs[i].Name}: {Shape(inputs[i])}");
        return new GraphExecutionException(
            $"{node.Name} ({node.Description.Id} {node.Description.Version}) failed: {error.GetType().Name}: {error.Message.TrimEnd()} (inputs: {string.Join(", ", arrived)})", error.StackTrace);
    }

    private static string Shape(object? value) => value switch
    {
        null => "none",
        Tensor tensor => Sizes(tensor),
        Masked masked => Sizes(masked.Data),
        _ => value is IFusionContext ? "fusion" : "value",
    };

    private static string Sizes(Tensor tensor) => tensor.IsInvalid ? "disposed tensor" : $"[{string.Join(',', tensor.shape)}]";
}
