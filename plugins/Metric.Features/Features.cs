using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Metric.Features;

/// <summary>Vectors of a trained run, each content embedded once.</summary>
internal sealed class Features(BuildContext context)
{
    private const int BatchSize = 256;

    private readonly IEmbeddingGenerator<AIContent, Embedding<float>> generator = context.Required<IEmbeddingGenerator<AIContent, Embedding<float>>>();

    /// <summary>The run that the vectors come from; known once something was embedded.</summary>
    public string Encoder { get; private set; } = "encoder";

    /// <summary>Vectors of length 1, in order.</summary>
    public double[][] OfTexts(IEnumerable<string> texts)
    {
        var all = texts.ToList();
        var different = all.Distinct(StringComparer.Ordinal).ToList();
        var vectors = different.Zip(Embed([.. different.Select(text => new TextContent(text))])).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
        return [.. all.Select(text => vectors[text])];
    }

    /// <summary>Vectors of pictures, in order.</summary>
    public double[][] OfPictures(IEnumerable<MediaContent> pictures)
    {
        var all = pictures.ToList();
        var different = all.Distinct(ReferenceEqualityComparer.Instance).Cast<MediaContent>().ToList();
        var vectors = new Dictionary<object, double[]>(different.Zip(Embed([.. different.Select(MediaData.Of)])).Select(pair => KeyValuePair.Create((object)pair.First, pair.Second)), ReferenceEqualityComparer.Instance);
        return [.. all.Select(picture => vectors[picture])];
    }

    private List<double[]> Embed(AIContent[] contents)
    {
        var vectors = new List<double[]>(contents.Length);
        foreach (var chunk in contents.Chunk(BatchSize))
            foreach (var embedding in generator.GenerateAsync(chunk, cancellationToken: context.Cancellation).GetAwaiter().GetResult())
            {
                Encoder = embedding.ModelId ?? Encoder;
                vectors.Add([.. embedding.Vector.ToArray().Select(part => (double)part)]);
            }
        return vectors;
    }
}
