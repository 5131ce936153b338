using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>What was left out of the data and why, each once. Thread-safe. Give <see cref="Add"/> to the source when it is opened.</summary>
public sealed class RejectionLog
{
    private readonly Lock gate = new();
    private readonly HashSet<Rejection> seen = [];
    private readonly List<Rejection> entries = [];

    /// <summary>A snapshot, in the order of arrival.</summary>
    public IReadOnlyList<Rejection> Entries
    {
        get
        {
            lock (gate) return [.. entries];
        }
    }

    public void Add(Rejection rejection)
    {
        lock (gate)
            if (seen.Add(rejection)) entries.Add(rejection);
    }
}
