using Microsoft.Extensions.Logging;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Graph;

/// <summary>What a graph is built with.</summary>
/// <param name="Device">Where its weights live.</param>
/// <param name="Seed">The run's seed; every node gets one of its own, made of this and its name.</param>
/// <param name="Loggers">For the messages of plugins while they build.</param>
/// <param name="Cancellation">Set when the run is being stopped.</param>
public sealed record GraphSettings(Device Device, long Seed, ILoggerFactory Loggers, CancellationToken Cancellation);

/// <summary>An objective of a stage, ready to be asked.</summary>
/// <param name="Name">Its name in the stage.</param>
/// <param name="Weight">Its weight in the total loss.</param>
/// <param name="Objective">Stages that use the same objective in the same way share this object.</param>
/// <param name="InputSlots">The slots it reads; -1 for an optional input that is not wired.</param>
public sealed record BuiltObjective(string Name, double Weight, IObjective Objective, int[] InputSlots);
