using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>What a stage trains on.</summary>
/// <param name="Split">Split to read.</param>
/// <param name="Seed">Seed of order, turns and languages.</param>
/// <param name="Batch">Samples in a batch.</param>
/// <param name="Tasks">Patterns of tasks; empty: all.</param>
/// <param name="Turns">Turns drawn from a sample.</param>
/// <param name="FirstBatch">Where to start: a resumed run continues as if it had never stopped.</param>
/// <param name="Candidates">Answers that each question has to choose from in <see cref="Batch.Candidates"/>; 0: none are made.</param>
public sealed record TrainStream(string Split, long Seed, int Batch, IReadOnlyList<string> Tasks, int Turns, long FirstBatch = 0, int Candidates = 0)
{
    /// <summary>How likely turns are drawn.</summary>
    public IReadOnlyList<TaskWeight> TaskWeights { get; init; } = [];
}

/// <summary>The samples of training batches, each a function of (seed, number) alone: on any number of threads, in any order.</summary>
internal sealed class TrainingBatches
{
    private readonly Dataset data;
    private readonly TrainStream stream;
    private readonly DataConfig config;
    private readonly SampleReader reader;
    private readonly SampleOrder order;
    private readonly LengthBuckets buckets;

    public TrainingBatches(Dataset data, DataConfig config, SampleReader reader, TrainStream stream)
    {
        (this.data, this.config, this.reader, this.stream) = (data, config, reader, stream);
        var parts = MixedSource.Parts(data.Source, stream.Split);
        if (parts.Any(part => part.Count == 0))
            throw new UserErrorException($"{(parts.Count > 1 ? "A source of 'data.mix'" : "The source")} has no samples in the split '{stream.Split}'; there are {string.Join(", ", data.Source.Splits.Select(split => $"{split} ({string.Join(" + ", MixedSource.Parts(data.Source, split).Select(part => part.Count))})"))}.");
        order = new SampleOrder(stream.Seed, parts);
        buckets = new LengthBuckets(order, data.Source, stream, config);
    }

    /// <summary>The samples of a batch, each with what is learnt from it, and augmented.</summary>
    /// <exception cref="UserErrorException">No sample of the split is usable.</exception>
    public IReadOnlyList<Sample> Samples(long number, CancellationToken stop) => [.. buckets.Positions(number).Select(position =>
    {
        var (sample, index, epoch) = Pick(position, stop);
        var drawn = TurnChoice.Draw(sample, stream, config.Languages, epoch, index);
        return Augmentation.Apply(data.Transforms, drawn, stream.Seed, epoch, index);
    })];

    /// <summary>The sample at a position of the stream, or the first of its stand-ins that is usable.</summary>
    private (Sample Sample, int Index, long Epoch) Pick(long position, CancellationToken stop)
    {
        bool Wanted(Sample sample) => stream.Tasks.Count == 0 || sample.Turns.Any(turn => TaskFilter.Matches(stream.Tasks, turn.Task));
        for (var attempt = 0; attempt <= order.Count; attempt++)
        {
            stop.ThrowIfCancellationRequested();
            var (index, epoch) = order.At(position, attempt);
            if (reader.Read(data.Modalities, stream.Split, index, Wanted, stop) is { } sample) return (sample, index, epoch);
        }
        var reasons = string.Join("; ", data.Rejections.Take(3).Select(rejection => $"{rejection.Id}: {rejection.Reason}"));
        throw new UserErrorException(
            $"The split '{stream.Split}' has no usable sample with a turn of the tasks [{string.Join(", ", stream.Tasks)}]"
            + (reasons.Length > 0 ? $"; rejected were {reasons}." : ". Mend 'tasks' of the stage."));
    }
}
