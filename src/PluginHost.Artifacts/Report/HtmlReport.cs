using System.Globalization;
using PluginHost.Runs.Evaluation;
using PluginHost.Runs.Training;
using PluginHost.Sdk;
using Scriban;
using Scriban.Runtime;
using SkiaSharp;

namespace PluginHost.Artifacts.Report;

/// <summary>A run as one HTML page that needs no network: numbers, loss curves, and sample pictures with the model's answers beside the truth.</summary>
public static class HtmlReport
{
    private static readonly Lazy<Template> Page = new(() =>
    {
        using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("PluginHost.Artifacts.Report.report.html")!;
        using var reader = new StreamReader(stream);
        return Template.Parse(reader.ReadToEnd());
    });

    public static string Render(
        string title, string plan, IReadOnlyList<StageResult> stages, IReadOnlyList<EvaluationResult> evaluations,
        IReadOnlyList<Example> examples, IReadOnlyList<Rejection> rejections)
    {
        var model = new ScriptObject
        {
            ["title"] = title,
            ["plan"] = plan,
            ["stages"] = stages.Select(stage => new ScriptObject
            {
                ["name"] = stage.Name,
                ["steps"] = stage.Steps,
                ["seconds"] = Number(stage.Seconds, "0.0"),
                ["speed"] = Number(stage.TokensPerSecond, "0"),
                ["first"] = Number(stage.FirstLoss, "0.0000"),
                ["last"] = Number(stage.LastLoss, "0.0000"),
                ["plot"] = LossPlot.Svg(stage),
            }).ToList(),
            ["evaluations"] = evaluations.Select(result => new ScriptObject
            {
                ["metric"] = result.Metric,
                ["split"] = result.Split,
                ["value"] = Number(result.Value, "0.000"),
                ["blind"] = result.Blind is { } blind ? Number(blind, "0.000") : "",
                ["spread"] = result.Spread is { } spread ? "± " + Number(spread, "0.000") : "",
                ["count"] = result.Count,
                ["note"] = result.Note ?? "",
                ["width"] = Number(100 * Share(result, result.Value), "0.0"),
                ["blind_width"] = Number(100 * Share(result, result.Blind ?? 0), "0.0"),
            }).ToList(),
            ["examples"] = examples.Select(Show).ToList(),
            ["rejections"] = rejections.Take(100).Select(rejection => new ScriptObject { ["id"] = rejection.Id, ["reason"] = rejection.Reason }).ToList(),
            ["rejected"] = rejections.Count,
        };
        var context = new TemplateContext { LoopLimit = 0, LimitToString = 0 };
        context.PushGlobal(model);
        return Page.Value.Render(context);
    }

    private static ScriptObject Show(Example example) => new()
    {
        ["split"] = example.Split,
        ["id"] = example.Sample.Id,
        ["picture"] = example.Sample.Image is Picture picture ? DataUri(picture) : "",
        ["sound"] = example.Sample.Audio is Sound sound ? DataUri(sound) : "",
        ["answers"] = example.Answers.Select(answer => new ScriptObject
        {
            ["task"] = answer.Turn.Task,
            ["prompt"] = answer.Turn.Prompt,
            ["said"] = answer.Text,
            ["truth"] = answer.Turn.Answer,
            ["right"] = string.Equals(answer.Text, answer.Turn.Answer, StringComparison.OrdinalIgnoreCase),
        }).ToList(),
    };

    /// <summary>BLEU counts to 100, everything else to 1.</summary>
    private static double Share(EvaluationResult result, double value) =>
        Math.Clamp(result.Metric.StartsWith("bleu", StringComparison.Ordinal) ? value / 100 : value, 0, 1);

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string DataUri(Picture picture)
    {
        using var bitmap = new SKBitmap(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (var y = 0; y < picture.Height; y++)
            for (var x = 0; x < picture.Width; x++)
            {
                var at = 3 * (y * picture.Width + x);
                bitmap.SetPixel(x, y, new SKColor(picture.Rgb[at], picture.Rgb[at + 1], picture.Rgb[at + 2]));
            }
        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return "data:image/png;base64," + Convert.ToBase64String(png.ToArray());
    }

    /// <summary>A WAV file: 44 bytes of header (RIFF, one channel, 16 bits) and the samples.</summary>
    private static string DataUri(Sound sound)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        var bytes = sound.Samples.Length * 2;
        writer.Write("RIFF"u8);
        writer.Write(36 + bytes);
        writer.Write("WAVEfmt "u8);
        writer.Write(16);
        writer.Write((short)1);
        writer.Write((short)1);
        writer.Write(sound.Rate);
        writer.Write(sound.Rate * 2);
        writer.Write((short)2);
        writer.Write((short)16);
        writer.Write("data"u8);
        writer.Write(bytes);
        foreach (var sample in sound.Samples) writer.Write((short)(Math.Clamp(sample, -1, 1) * short.MaxValue));
        return "data:audio/wav;base64," + Convert.ToBase64String(stream.ToArray());
    }
}
