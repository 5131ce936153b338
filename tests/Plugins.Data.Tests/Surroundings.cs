using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Data;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

/// <summary>What plugins are opened with here.</summary>
internal static class Surroundings
{
    public static MediaFormat Format { get; } = new(32, 4000, 1);

    public static BuildContext Build { get; } = new() { Device = TorchSharp.torch.CPU, Logger = NullLogger.Instance, ContentFolder = AppContext.BaseDirectory };

    public static FilterContext Filter(string? folder = null) =>
        new(Build, folder ?? AppContext.BaseDirectory, (content, _, _) => content);

    /// <summary>With what a trained run would supply.</summary>
    public static FilterContext Filter(object supplied, Func<MediaContent, string, MediaFormat, MediaContent>? decode = null) => new(
        new BuildContext { Device = Build.Device, Logger = Build.Logger, ContentFolder = Build.ContentFolder, Supplied = [supplied] }, AppContext.BaseDirectory, decode ?? ((content, _, _) => content));

    public static SourceContext Source(RejectionLog? log = null, string? folder = null, MediaFormat? format = null) =>
        new(Build, format ?? Format, folder ?? AppContext.BaseDirectory, (log ?? new RejectionLog()).Add);
}

/// <summary>A folder that goes away with the test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("pluginhost-data-").FullName;

    public string Write(string name, byte[] content)
    {
        var path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    public string Write(string name, string content) => Write(name, System.Text.Encoding.UTF8.GetBytes(content));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
