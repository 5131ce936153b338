using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>Reads and decodes samples; a bad one is noted once and not tried again. Thread-safe.</summary>
internal sealed class SampleReader(ISource source, MediaLibrary library, RejectionLog rejections)
{
    private readonly Lock gate = new();
    private readonly HashSet<(string Split, int Index)> bad = [];

    /// <summary>The decoded sample; null when it is bad or not wanted.</summary>
    /// <param name="wanted">Asked before decoding, to save it, and after, when it is known what a video holds.</param>
    public Sample? Read(IReadOnlyList<string> modalities, string split, int index, Func<Sample, bool> wanted, CancellationToken cancellation)
    {
        lock (gate)
            if (bad.Contains((split, index))) return null;
        var id = $"{split}[{index}]";
        try
        {
            var sample = source.Read(split, index);
            id = sample.Id;
            if (!wanted(sample)) return null;
            sample = library.Decode(sample, modalities, cancellation);
            return wanted(sample) ? sample : null;
        }
        catch (BadSampleException error)
        {
            rejections.Add(new Rejection(id, error.Message));
            lock (gate) bad.Add((split, index));
            return null;
        }
    }

    /// <summary>Whether a sample has what an evaluation requires: <c>image</c>, <c>audio</c>, <c>video</c>, <c>text</c> or <c>text.zh</c>.</summary>
    public static bool Has(Sample sample, string need) => need switch
    {
        Modality.Image => (sample.Image ?? MediaLibrary.StandIn(sample)) is not null,
        Modality.Audio => (sample.Audio ?? MediaLibrary.StandIn(sample)) is not null,
        Modality.Video => sample.Video is not null,
        Modality.Text => sample.Texts.Count > 0,
        _ when need.StartsWith(Modality.Text + ".", StringComparison.Ordinal) => sample.Texts.ContainsKey(need[(Modality.Text.Length + 1)..]),
        _ => throw new UserErrorException($"'require' names '{need}'; it can name image, audio, video, text, or text.LANGUAGE such as text.en."),
    };
}
