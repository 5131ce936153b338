using PluginHost.Graph;
using PluginHost.Sdk;

namespace PluginHost.Serving.Models;

/// <summary>A served model whose graph can be looked at, and changed node by node while it answers.</summary>
public interface IGraphControl : IPluginControl
{
    /// <summary>What was planned for the graph that serves now; null: the model is not loaded.</summary>
    GraphPlan? Plan { get; }

    /// <summary>The plugins that the model could use, in the order of their ids; empty while it is not loaded.</summary>
    IReadOnlyList<PluginState> Plugins { get; }

    /// <summary>Replaces a node's plugin or its settings by a new graph beside the serving one; requests that came before finish on the old one.</summary>
    /// <param name="node">The node's name.</param>
    /// <param name="use">The plugin; null: as it is.</param>
    /// <param name="settings">Its settings as JSON, all of them; null: as they are.</param>
    /// <param name="apply">Whether to do it, or only to say what would change.</param>
    /// <exception cref="UserErrorException">The model is not loaded, there is no such node, or the change does not work; the old graph serves on.</exception>
    /// <exception cref="Config.ConfigException">The changed project is wrong; all that is.</exception>
    Task<NodeChange> ChangeNodeAsync(string node, string? use, string? settings, bool apply);
}

/// <summary>A plugin of a served model.</summary>
/// <param name="Id">Kind and name.</param>
/// <param name="Kind">The part before the first dot.</param>
/// <param name="Version">Its version.</param>
/// <param name="Hash">SHA-256 of its folder.</param>
/// <param name="Summary">What it does.</param>
/// <param name="Origin">Where it was found.</param>
/// <param name="Calls">How often it was called.</param>
/// <param name="Failures">How many calls failed.</param>
/// <param name="Milliseconds">Time in its calls.</param>
/// <param name="NativeMegabytes">Native memory of the parameters and buffers that it holds now.</param>
/// <param name="Quarantine">Why it is out; null: it serves.</param>
/// <param name="Pinned">What keeps its older version in memory; null: nothing.</param>
public sealed record PluginState(
    string Id, string Kind, string Version, string Hash, string Summary, string Origin, long Calls, long Failures, double Milliseconds, double NativeMegabytes, string? Quarantine, string? Pinned);

/// <summary>What a change of a node is.</summary>
/// <param name="Values">Each value that differs.</param>
/// <param name="Done">What became of it; null: it was not applied.</param>
public sealed record NodeChange(IReadOnlyList<ChangedValue> Values, string? Done);

/// <summary>A value of the project that differs.</summary>
/// <param name="Path">Where: <c>graph.fusion.settings.every</c>.</param>
/// <param name="Old">Its JSON before; null: it is new.</param>
/// <param name="New">Its JSON now; null: it is gone.</param>
/// <param name="Effect">How it takes effect: <c>rebuilds fusion</c>.</param>
public sealed record ChangedValue(string Path, string? Old, string? New, string Effect);
