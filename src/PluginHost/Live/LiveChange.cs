using System.Text.RegularExpressions;

namespace PluginHost.Live;

/// <summary>How a changed value takes effect while a run goes on.</summary>
internal static partial class LiveChange
{
    /// <summary>Of a value of the project file; null when it takes a new run.</summary>
    public static string? OfProject(string path) =>
        StageValue().IsMatch(path) ? "live, from the next step"
        : NodeValue().Match(path) is { Success: true } node ? $"rebuilds {node.Groups[1].Value}"
        : null;

    /// <summary>Of a value of the host file; null when it takes a new run.</summary>
    public static string? OfHost(string path) => path.Split('.')[0] switch
    {
        "quarantine" => "live, from the next failure",
        "plugins" => "live, for further folders",
        "install" => "for the next installation",
        _ => null,
    };

    /// <summary>Of a setting of a plugin.</summary>
    /// <param name="kind">The plugin's kind.</param>
    public static string OfSetting(string kind) => kind is "source" or "media" or "tokenizer" or "metric" or "filter" or "transform" or "weighting" or "tuning" ? "by a new run" : "by a rebuild of its node";

    [GeneratedRegex(@"^stages\.\d+\.(steps|learningRate|finalRate|warmup|weightDecay|clip|validateEvery|checkpointEvery)$")]
    private static partial Regex StageValue();

    [GeneratedRegex(@"^(graph\.[^.]+|stages\.\d+\.objectives\.[^.]+)(\.|$)")]
    private static partial Regex NodeValue();
}
