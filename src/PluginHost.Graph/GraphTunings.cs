using Microsoft.Extensions.Logging;
using PluginHost.Graph.Execution;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Graph;

/// <summary>A tuning of a graph.</summary>
/// <param name="Name">What it is called: that of the stage that trains it.</param>
/// <param name="Plugin">What began it, and begins it again when the graph is exchanged.</param>
/// <param name="Tuning">The tuning.</param>
public sealed record GraphTuning(string Name, ITuningPlugin Plugin, ITuning Tuning);

/// <summary>
/// The tunings of a graph. Those that are attached are at work whenever it runs, unless the thread has chosen others (<see cref="AdapterSet.Use"/>). Passes may
/// run at once; attaching and detaching needs the graph alone. Disposing it disposes what is attached.
/// </summary>
public sealed class GraphTunings(ExecutableGraph graph, GraphSettings settings) : IDisposable
{
    private readonly List<GraphTuning> attached = [];

    /// <summary>What is at work, in the order in which it was attached.</summary>
    public IReadOnlyList<GraphTuning> Attached => attached;

    /// <summary>Begins a tuning; torch's generator stays as it is. Whoever asks owns it until it is attached.</summary>
    /// <exception cref="UserErrorException">Its settings do not fit the graph.</exception>
    public GraphTuning Begin(string name, ITuningPlugin plugin)
    {
        var seed = StableSeed.Of(settings.Seed, $"tuning/{name}");
        using var generator = get_rng_state();
        random.manual_seed(seed);
        try
        {
            using var scope = NewDisposeScope();
            var tuning = plugin.Begin(new TuningContext(
                new BuildContext { Device = settings.Device, Seed = seed, Logger = settings.Loggers.CreateLogger($"{name} (tuning)"), Cancellation = settings.Cancellation, ContentFolder = "" },
                [.. graph.Owned.Select(node => new TunedNode(node.Name, [.. node.Parameters.Select(item => ($"{node.Name}.{item.Name}", item.Value))], node.Node as ITower))])
            { Modalities = graph.Plan.Modalities });
            foreach (var parameter in tuning.Parameters) parameter.Value.DetachFromDisposeScope();
            return new GraphTuning(name, plugin, tuning);
        }
        finally
        {
            set_rng_state(generator);
        }
    }

    /// <summary>Lets a tuning work from now on.</summary>
    public GraphTuning Attach(GraphTuning tuning)
    {
        attached.Add(tuning);
        return tuning;
    }

    /// <summary>Takes a tuning off and disposes it; the weights stay as they are.</summary>
    public void Detach(GraphTuning tuning)
    {
        if (attached.Remove(tuning)) tuning.Tuning.Dispose();
    }

    /// <summary>Switches dropout and the like on or off.</summary>
    public void Train(bool on)
    {
        foreach (var item in attached) item.Tuning.Train(on);
    }

    /// <summary>What is added to the towers in a pass over a batch. Call it in a dispose scope that outlives the pass.</summary>
    /// <param name="slots">Slots with the sample's values.</param>
    /// <param name="only">The tuning that is to work, whatever is attached; null: those that are.</param>
    public AdapterSet? For(object?[] slots, ITuning? only = null)
    {
        if (only is null && attached.Count == 0) return null;
        var media = Media(slots);
        return only is not null ? only.Adapters(media) : AdapterSet.Union([.. attached.Select(item => item.Tuning.Adapters(media))]);
    }

    /// <summary>Begins the same on a graph that takes this one's place, with the same parameters where name and shape agree.</summary>
    internal void CarryTo(GraphTunings next)
    {
        using var _ = no_grad();
        foreach (var former in attached)
        {
            var carried = next.Attach(next.Begin(former.Name, former.Plugin));
            var old = former.Tuning.Parameters.ToDictionary(item => item.Name, item => item.Value);
            foreach (var item in carried.Tuning.Parameters)
                if (old.TryGetValue(item.Name, out var source) && !ReferenceEquals(source, item.Value) && source.shape.SequenceEqual(item.Value.shape)) item.Value.copy_(source);
        }
    }

    public void Dispose()
    {
        foreach (var item in attached) item.Tuning.Dispose();
        attached.Clear();
    }

    private BatchMedia Media(object?[] slots)
    {
        Masked? At(SamplePort port) => graph.Plan.SampleSlots[(int)port] is var slot and >= 0 ? slots[slot] as Masked : null;
        var masks = new Dictionary<string, Tensor>();
        foreach (var port in (SamplePort[])[SamplePort.Image, SamplePort.Audio, SamplePort.Video])
            if (At(port) is { } medium) masks[SamplePorts.NameOf(port)] = medium.Mask;
        var rows = SamplePorts.All.Select(At).FirstOrDefault(value => value is not null)?.Mask.size(0) ?? 0;
        return new BatchMedia(rows, masks);
    }
}
