using System.Text.RegularExpressions;
using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>The host's own settings: what belongs to the machine and not to a model.</summary>
/// <param name="PluginFolders">Folders whose sub-folders are plugins; absolute.</param>
/// <param name="Artifacts">Where run folders are written; absolute.</param>
/// <param name="Device"><c>auto</c> (CUDA when it is there), <c>cpu</c>, <c>cuda</c> or <c>cuda:1</c>.</param>
/// <param name="Install">How plugin packages are installed.</param>
/// <param name="Path">The file it was read from; empty when no file was found and the defaults hold.</param>
public sealed record HostConfig(IReadOnlyList<string> PluginFolders, string Artifacts, string Device, InstallConfig Install, string Path)
{
    /// <summary>The folder that <c>{config}</c> stands for: the file's, or the current one.</summary>
    public string Folder => Path.Length > 0 ? System.IO.Path.GetDirectoryName(Path)! : Directory.GetCurrentDirectory();

    /// <summary>When a plugin that fails is taken out, and for how long.</summary>
    public QuarantineOptions Quarantine { get; init; } = new();

    /// <summary>What the file says; an empty object without a file.</summary>
    public JsonElementNode Source { get; init; } = JsonElementNode.Object(new JsonLocation("", 0, 0, "$"), []);

    /// <summary>How it serves.</summary>
    public required ServerConfig Server { get; init; }

    /// <summary>The plugins that run in a process of their own, by id.</summary>
    public IReadOnlyDictionary<string, IsolationLimits> Isolation { get; init; } = new Dictionary<string, IsolationLimits>();
}

/// <summary>Finds and reads the host file.</summary>
public static partial class HostFile
{
    private const string DefaultPlugins = "{host}/plugins";
    private const string DefaultArtifacts = "runs";
    private const string DefaultDevice = "auto";

    /// <summary>
    /// Reads a host file; without a path <c>host-config/host.json</c> from the current folder upwards, then <c>host.json</c>
    /// beside the executable, then the defaults. Relative folders are relative to the current one; <c>{host}</c> is the executable's,
    /// <c>{config}</c> the host file's (without a file the current one).
    /// </summary>
    /// <exception cref="ConfigException">All that is wrong with it.</exception>
    public static HostConfig Read(string? path)
    {
        var file = path is null ? Find() : System.IO.Path.GetFullPath(path);
        var config = file is null ? Directory.GetCurrentDirectory() : System.IO.Path.GetDirectoryName(file)!;
        string Folder(string path) => Absolute(path, config);
        var errors = new List<ConfigError>();
        if (file is null)
            return new HostConfig([Folder(DefaultPlugins)], Folder(DefaultArtifacts), DefaultDevice, InstallReader.Read(null, Folder, errors), "") { Server = ServerReader.Read(null, Folder, Folder(DefaultArtifacts), errors) };
        var root = JsonTreeReader.Read(ConfigText.Read(file, "host file"), System.IO.Path.GetFileName(file));
        var reader = new JsonObjectReader(root, "a host file", errors);
        reader.Text("$schema");
        var host = new HostConfig(
            [.. reader.Texts("plugins", [DefaultPlugins]).Select(Folder)],
            Folder(reader.Text("artifacts") ?? DefaultArtifacts),
            reader.Text("device") ?? DefaultDevice,
            InstallReader.Read(reader.Value("install"), Folder, errors),
            file)
        {
            Source = root,
            Quarantine = reader.Value("quarantine") is { } quarantine ? ReadQuarantine(new JsonObjectReader(quarantine, "'quarantine'", errors)) : new(),
            Server = ServerReader.Read(reader.Value("server"), Folder, Folder(reader.Text("artifacts") ?? DefaultArtifacts), errors),
            Isolation = reader.Members("isolation").ToDictionary(member => member.Name, member => ReadIsolation(member, errors)),
        };
        if (!DeviceName().IsMatch(host.Device))
            errors.Add(new ConfigError(root.Find("device")!.Location, $"'{host.Device}' is no device; devices are auto, cpu, cuda, cuda:0, cuda:1, ..."));
        reader.End();
        return errors.Count == 0 ? host : throw new ConfigException(errors);
    }

    private static QuarantineOptions ReadQuarantine(JsonObjectReader reader)
    {
        var defaults = new QuarantineOptions();
        var options = new QuarantineOptions(
            (int)reader.Integer("failures", defaults.Failures, 1, 1000), reader.Duration("window", defaults.Window), reader.Duration("backoff", defaults.Backoff));
        reader.End();
        return options;
    }

    // "process", or an object with limits
    private static IsolationLimits ReadIsolation(JsonMember member, List<ConfigError> errors)
    {
        var defaults = new IsolationLimits();
        if (member.Value is { Kind: JsonKind.String, Text: "process" }) return defaults;
        if (member.Value.Kind != JsonKind.Object)
        {
            errors.Add(new ConfigError(member.Value.Location, $"the isolation of '{member.Name}' is \"process\", or an object with limits, not {JsonObjectReader.Describe(member.Value)}"));
            return defaults;
        }
        var reader = new JsonObjectReader(member.Value, "the limits of a process", errors);
        var limits = new IsolationLimits(
            reader.Duration("callTimeout", defaults.CallTimeout), (int)reader.Integer("memoryMegabytes", defaults.MemoryMegabytes, 64, 1 << 20), (int)reader.Integer("restarts", defaults.Restarts, 0, 1000));
        reader.End();
        return limits;
    }

    private static string Absolute(string path, string config) => System.IO.Path.GetFullPath(path
        .Replace("{host}", AppContext.BaseDirectory.TrimEnd(System.IO.Path.DirectorySeparatorChar), StringComparison.Ordinal)
        .Replace("{config}", config, StringComparison.Ordinal));

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(Directory.GetCurrentDirectory()); folder is not null; folder = folder.Parent)
        {
            var candidate = System.IO.Path.Combine(folder.FullName, "host-config", "host.json");
            if (File.Exists(candidate)) return candidate;
        }
        var beside = System.IO.Path.Combine(AppContext.BaseDirectory, "host.json");
        return File.Exists(beside) ? beside : null;
    }

    [GeneratedRegex("^(auto|cpu|cuda(:[0-9]{1,2})?)$")]
    private static partial Regex DeviceName();
}
