using System.Globalization;
using PluginHost.Catalog.Ports;
using PluginHost.Config;

namespace PluginHost.Graph;

/// <summary>What the data layer gives to the graph.</summary>
public enum SamplePort { Image, Audio, Video, Text, Caption, Candidates, Query, Passage, Negative }

/// <summary>Names and types of the sample's ports.</summary>
public static class SamplePorts
{
    /// <summary>The name that stands for the sample in wires; no node may have it.</summary>
    public const string Node = "sample";

    /// <summary>All ports, in the order of the enum.</summary>
    public static IReadOnlyList<SamplePort> All { get; } = Enum.GetValues<SamplePort>();

    /// <summary>The port's own name: <c>image</c>.</summary>
    public static string NameOf(SamplePort port) => port.ToString().ToLowerInvariant();

    /// <summary>The name in wires: <c>sample.image</c>.</summary>
    public static string SourceOf(SamplePort port) => $"{Node}.{NameOf(port)}";

    /// <summary>Whether the port carries text, for which the project needs a tokenizer.</summary>
    public static bool IsText(SamplePort port) => port is SamplePort.Text or SamplePort.Caption or SamplePort.Candidates || IsPair(port);

    /// <summary>Whether the port carries one side of a query and the passages that do or do not answer it.</summary>
    public static bool IsPair(SamplePort port) => port is SamplePort.Query or SamplePort.Passage or SamplePort.Negative;

    /// <summary>The type that a project's data settings give the port; the vocabulary of text stays a symbol while it is not known.</summary>
    public static PortType TypeOf(SamplePort port, DataConfig data, long? vocabulary)
    {
        var samples = (long)Math.Round(data.AudioRate * data.AudioSeconds);
        FormattableString text = port switch
        {
            SamplePort.Image => $"pixels[B,3,{data.ImageSize},{data.ImageSize}]",
            SamplePort.Audio => $"wave[B,{samples},{data.AudioRate}]",
            SamplePort.Video => $"video[B,{data.VideoFrames},3,{data.VideoSize},{data.VideoSize}]",
            _ => $"ids[B,T,{(vocabulary is null ? "V" : vocabulary)}]",
        };
        return PortType.Parse(text.ToString(CultureInfo.InvariantCulture));
    }
}
