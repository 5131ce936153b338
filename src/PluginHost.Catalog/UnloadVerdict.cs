namespace PluginHost.Catalog;

/// <summary>How an unload ended.</summary>
public enum UnloadOutcome { Unloaded, Pinned }

/// <summary>The result of an unload, checked and not assumed.</summary>
/// <param name="Id">The plugin.</param>
/// <param name="Outcome">Whether its code is gone from memory.</param>
/// <param name="Detail">For a person to read.</param>
public sealed record UnloadVerdict(string Id, UnloadOutcome Outcome, string Detail);
