using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Graph;

/// <summary>A node threw while the graph ran. Holds strings only, so that it keeps no plugin in memory.</summary>
public sealed class GraphExecutionException(string message, string? pluginTrace) : Exception(message)
{
    /// <summary>The plugin's stack trace as text.</summary>
    public string? PluginTrace { get; } = pluginTrace;

    internal static Exception From(Exception error, PlannedNode node, ReadOnlySpan<object?> inputs)
    {
        if (error is OperationCanceledException) return new OperationCanceledException($"{node.Name} ({node.Description.Id}) was stopped.");
        if (error is UserErrorException) return new UserErrorException($"{node.Name} ({node.Description.Id}): {error.Message}");
        var arrived = new List<string>();
        for (var i = 0; i < inputs.Length; i++) arrived.Add($"{node.Inputs[i].Name}: {Shape(inputs[i])}");
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
