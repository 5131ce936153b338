// Scenes of one to three coloured shapes with a tone, drawn on the fly: every sample is a function of (seed, split, index).
// Ground truth is exact, and some pairs of colour and shape appear only in the split 'compositional'.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using PluginHost.Sdk;

namespace Source.Scenes;

/// <summary>Settings of <c>source.scenes</c>.</summary>
/// <param name="Train">Number of training scenes.</param>
/// <param name="Validation">Number of validation scenes.</param>
/// <param name="Test">Number of test scenes.</param>
/// <param name="Compositional">Number of scenes with pairs of colour and shape that no other split has.</param>
/// <param name="Sounding">Share of the training scenes that have a sound.</param>
/// <param name="Seed">Seed of all scenes.</param>
public sealed record ScenesOptions(
    [property: Range(1, 10_000_000), Description("Number of training scenes.")] int Train = 16000,
    [property: Range(1, 1_000_000), Description("Number of validation scenes.")] int Validation = 500,
    [property: Range(1, 1_000_000), Description("Number of test scenes.")] int Test = 1000,
    [property: Range(0, 1_000_000), Description("Number of scenes with pairs of colour and shape that no other split has.")] int Compositional = 1000,
    [property: Range(0.0, 1.0), Description("Share of the training scenes that have a sound; below 1, the corpus is short of one modality.")] double Sounding = 1,
    [property: Range(0, int.MaxValue), Description("Seed of all scenes.")] long Seed = 7);

/// <summary>The embedded data set: generated scenes with captions, questions and tones.</summary>
[Plugin("source.scenes", "Generated scenes of coloured shapes with tones, captions in English and Chinese, and questions with exact answers.")]
public sealed class ScenesSource(ScenesOptions options) : ISourcePlugin
{
    /// <inheritdoc/>
    public ISource Open(SourceContext context) => new Scenes(options, context.Format, context.Instructions);
}

internal sealed class Scenes(ScenesOptions options, MediaFormat format, bool instructions) : ISource
{
    // Part of the fingerprint: raise it when the same settings give other samples.
    private const int Generation = 1;

    private readonly RendererPool renderers = new(format.ImageSize);

    public IReadOnlyList<string> Splits { get; } = options.Compositional > 0
        ? ["train", "validation", "test", "compositional"]
        : ["train", "validation", "test"];

    public string Fingerprint { get; } = Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes($"source.scenes {Generation} {options} {format}{(instructions ? " digits" : "")}")));

    public int Count(string split) => split switch
    {
        "train" => options.Train,
        "validation" => options.Validation,
        "test" => options.Test,
        "compositional" => options.Compositional,
        _ => 0,
    };

    public Sample Read(string split, int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count(split));
        var draw = new Draw(options.Seed, split, index);
        var scene = Scene.Make(ref draw, split == "compositional");
        var picture = renderers.Draw(scene, ref draw);
        var tone = Tone.Make(ref draw);
        var sound = tone.Play(ref draw, format);
        var turns = Questions.About(scene, tone, ref draw);
        // Drawn last: all else is the same whatever the share.
        var silent = split == "train" && draw.Between(0, 1) >= options.Sounding;
        // From numbers of their own: all else is the same whether templates ask or not.
        var further = new Draw(options.Seed, split + "/instructions", index);
        var mark = instructions ? Mark.Make(scene, ref further) : null;
        if (mark is not null) Digits.Write(picture, mark, ref further);
        return new Sample($"{split}/{index:d6}")
        {
            Image = picture,
            Audio = silent ? null : sound,
            Texts = new Dictionary<string, string> { ["en"] = Captions.English(scene), ["zh"] = Captions.Chinese(scene) },
            Turns = silent ? [.. turns.Where(turn => !turn.Needs.Contains("audio"))] : turns,
            Instructions = mark is null ? [] : Instructions.About(scene, silent ? null : tone, mark, ref further),
        };
    }

    public void Dispose() => renderers.Dispose();
}
