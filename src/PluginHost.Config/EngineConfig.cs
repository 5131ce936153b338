namespace PluginHost.Config;

/// <summary>How much a model answers at once.</summary>
/// <param name="Slots">Requests that are answered at a time.</param>
/// <param name="Queue">Most requests that wait for one of them; more are refused.</param>
/// <param name="Length">Most tokens of prompt and answer together; null: what the project's texts were trained with.</param>
/// <param name="KeptMedia">Media whose encoding is kept for requests that bring the same.</param>
/// <param name="Threads">Threads that a step is computed on; 0: those of libtorch.</param>
public sealed record EngineConfig(int Slots = 16, int Queue = 64, int? Length = null, int KeptMedia = 32, int Threads = 0);
