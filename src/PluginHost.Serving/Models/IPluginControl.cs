using PluginHost.Sdk;

namespace PluginHost.Serving.Models;

/// <summary>A served model whose plugins can be changed while it answers.</summary>
public interface IPluginControl : IServedModel
{
    /// <summary>Does what <c>pluginhost plugins</c> does to a running host.</summary>
    /// <param name="command"><c>list</c>, <c>swap</c>, <c>quarantine</c>, <c>restore</c> or <c>drain</c>.</param>
    /// <param name="plugin">The plugin; null for <c>list</c>.</param>
    /// <param name="folder">Where a swap finds the new version; null: where the serving one came from.</param>
    /// <returns>Whether it was done, and what there is to say about it.</returns>
    /// <exception cref="UserErrorException">There is no such plugin, or the model is not loaded.</exception>
    Task<(bool Done, string Text)> ControlAsync(string command, string? plugin, string? folder);
}
