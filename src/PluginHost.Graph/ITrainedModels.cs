namespace PluginHost.Graph;

/// <summary>What trained runs can supply to plugins that require it.</summary>
public interface ITrainedModels
{
    /// <summary>Why a run cannot supply a capability, and what to do about it; null when it can. Runs no plugin code.</summary>
    string? Refusal(string capability, string run);
}
