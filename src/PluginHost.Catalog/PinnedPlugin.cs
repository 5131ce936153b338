namespace PluginHost.Catalog;

/// <summary>A plugin that was unloaded and is in memory still.</summary>
/// <param name="Id">The plugin.</param>
/// <param name="Version">Its version.</param>
/// <param name="Since">When it was found to be pinned.</param>
/// <param name="Path">What keeps it, from the root to the plugin's object: <c>static field Bus.Changed → EventHandler._target → My.Plugin</c>.</param>
public sealed record PinnedPlugin(string Id, string Version, DateTimeOffset Since, string Path);
