// Videos of coloured shapes in which something happens, drawn on the fly: every sample is a function of (seed, split, index).
// Which split a scene belongs to is decided by its description (Splits.Of), so that no scene of one split is in another.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using PluginHost.Sdk;

namespace Source.Scenes;

/// <summary>Settings of <c>source.moving-scenes</c>.</summary>
/// <param name="Train">Number of training videos.</param>
/// <param name="Validation">Number of validation videos.</param>
/// <param name="Test">Number of test videos.</param>
/// <param name="Seed">Seed of all videos.</param>
public sealed record MovingScenesOptions(
    [property: Range(1, 10_000_000), Description("Number of training videos.")] int Train = 16000,
    [property: Range(1, 1_000_000), Description("Number of validation videos.")] int Validation = 300,
    [property: Range(1, 1_000_000), Description("Number of test videos.")] int Test = 1000,
    [property: Range(0, int.MaxValue), Description("Seed of all videos.")] long Seed = 7);

/// <summary>The embedded data set of videos.</summary>
[Plugin("source.moving-scenes", "Generated videos of coloured shapes that drift, follow one another and blink, with captions in English and Chinese, and questions with exact answers.")]
public sealed class MovingScenesSource(MovingScenesOptions options) : ISourcePlugin
{
    /// <inheritdoc/>
    public ISource Open(SourceContext context) => context.Format.VideoFrames >= MovingScene.Phases ? new MovingScenes(options, context.Format, context.Instructions)
        : throw new UserErrorException($"source.moving-scenes: 'data.video.frames' is {context.Format.VideoFrames}, and what happens in these videos takes {MovingScene.Phases} frames; set it to {MovingScene.Phases} or more.");
}

internal sealed class MovingScenes(MovingScenesOptions options, MediaFormat format, bool instructions) : ISource
{
    // Part of the fingerprint: raise it when the same settings give other samples.
    private const int Generation = 1;

    private readonly RendererPool renderers = new(format.VideoSize);

    public IReadOnlyList<string> Splits { get; } = [PluginHost.Sdk.Splits.Train, PluginHost.Sdk.Splits.Validation, PluginHost.Sdk.Splits.Test];

    public string Fingerprint { get; } = Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes($"source.moving-scenes {Generation} {options} {format}")));

    public int Count(string split) => split switch
    {
        PluginHost.Sdk.Splits.Train => options.Train,
        PluginHost.Sdk.Splits.Validation => options.Validation,
        PluginHost.Sdk.Splits.Test => options.Test,
        _ => 0,
    };

    public Sample Read(string split, int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count(split));
        var (scene, draw) = Scene(split, index);
        return new Sample($"{split}/{index:d6}")
        {
            Video = renderers.Draw(scene, format, ref draw),
            Texts = new Dictionary<string, string> { ["en"] = Events.English(scene), ["zh"] = Events.Chinese(scene) },
            Turns = Events.Questions(scene, ref draw),
            Instructions = instructions ? Events.Instructions(scene) : [],
        };
    }

    /// <summary>What happens, and what draws the rest.</summary>
    internal (MovingScene Scene, Draw Draw) Scene(string split, int index)
    {
        var draw = new Draw(options.Seed, split, index);
        while (true)
            if (MovingScene.Make(ref draw, format.VideoFrames) is var scene && PluginHost.Sdk.Splits.Of(scene.ToString()!) == split) return (scene, draw);
    }

    public void Dispose() => renderers.Dispose();
}
