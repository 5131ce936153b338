using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Config;
using PluginHost.Runs.Training;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Artifacts;

/// <summary>
/// A run on disk: <c>run.json</c> (the record), <c>project.json</c> (the resolved config), <c>tokenizer.json</c>,
/// <c>model.safetensors</c>, <c>adapter/STAGE/</c> (of a tuned stage), <c>stages/STAGE.safetensors</c> (what later stages begin with), <c>model-average.safetensors</c> (where the last stage keeps a moving average), <c>checkpoints/</c> (to resume), <c>run.lock</c> (held by the process that trains it), <c>evaluation.json</c> (results, answers and bootstrap draws), <c>report.json</c>, <c>report.html</c>, <c>events/</c>
/// (TensorBoard), <c>examples/</c> (pictures and sounds of the report). Named by project and time; <c>latest</c> in the artifacts folder names the newest.
/// </summary>
public sealed class RunFolder(string path)
{
    private const string LatestAlias = "latest";

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    public string Name => System.IO.Path.GetFileName(Path);

    public string Record => File("run.json");

    public string Project => File("project.json");

    public string Tokenizer => File("tokenizer.json");

    public string Model => File("model.safetensors");

    public string AverageModel => File("model-average.safetensors");

    /// <summary>The adapter that a tuned stage has trained.</summary>
    public AdapterFolder Adapter(string stage) => new(System.IO.Path.Combine(File("adapter"), stage));

    /// <summary>The weights that a stage has left, where a later one begins with them.</summary>
    public string StageModel(string stage) => System.IO.Path.Combine(File("stages"), $"{stage}.safetensors");

    public CheckpointFolder Checkpoints => new(File("checkpoints"));

    public string Evaluation => File("evaluation.json");

    public string ReportJson => File("report.json");

    public string ReportHtml => File("report.html");

    public string Events => File("events");

    public string Examples => File("examples");

    /// <summary>Makes a new run folder with nothing but the project in it: from then on it can be resumed.</summary>
    /// <param name="artifacts">The folder of all runs.</param>
    /// <param name="project">The project's name.</param>
    /// <param name="now">Becomes part of the run's name.</param>
    /// <param name="config">The resolved project.</param>
    /// <param name="latest">Whether <c>latest</c> is to name it from now on.</param>
    public static RunFolder Create(string artifacts, string project, DateTimeOffset now, string config, bool latest = true)
    {
        Directory.CreateDirectory(artifacts);
        for (var attempt = 0; ; attempt++)
        {
            var name = $"{project}-{now:yyyyMMdd-HHmmss}{(attempt == 0 ? "" : $"-{attempt + 1}")}";
            var path = System.IO.Path.Combine(artifacts, name);
            if (Directory.Exists(path)) continue;
            var run = new RunFolder(path);
            AtomicFile.WriteText(run.Project, config);
            if (latest) AtomicFile.WriteText(System.IO.Path.Combine(artifacts, LatestAlias), name);
            return run;
        }
    }

    /// <summary>Keeps other processes from training the same run until the result is disposed, or this process is gone.</summary>
    /// <exception cref="UserErrorException">Another process trains it.</exception>
    public IDisposable Lock() =>
        TryLock() ?? throw new UserErrorException($"the run '{Name}' is being trained by another process; wait for its end, or stop it");

    /// <summary>As <see cref="Lock"/>; null: another process trains it.</summary>
    public IDisposable? TryLock()
    {
        try
        {
            return new FileStream(File("run.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (Directory.Exists(Path))
        {
            return null;
        }
    }

    /// <summary>The runs of an artifacts folder, in no order; none where there is no such folder.</summary>
    public static IReadOnlyList<RunFolder> All(string artifacts) =>
        Directory.Exists(artifacts) ? [.. Directory.GetDirectories(artifacts).Select(path => new RunFolder(path)).Where(run => System.IO.File.Exists(run.Project))] : [];

    /// <summary>Finds a run by its folder, its name or an alias.</summary>
    /// <exception cref="UserErrorException">There is none; the message lists what there is.</exception>
    public static RunFolder Find(string artifacts, string run)
    {
        if (Directory.Exists(run) && System.IO.File.Exists(System.IO.Path.Combine(run, "project.json"))) return new RunFolder(run);
        var alias = System.IO.Path.Combine(artifacts, run);
        var name = System.IO.File.Exists(alias) ? System.IO.File.ReadAllText(alias).Trim() : run;
        var path = System.IO.Path.Combine(artifacts, name);
        if (Directory.Exists(path)) return new RunFolder(path);
        var known = All(artifacts).Select(item => item.Name).Order(StringComparer.Ordinal).TakeLast(5).ToArray();
        throw new UserErrorException(
            $"There is no run '{run}' in {System.IO.Path.GetFullPath(artifacts)}; {(known.Length == 0 ? "there are no runs yet: start with 'pluginhost run PROJECT'" : $"the newest are {string.Join(", ", known)}")}.");
    }

    /// <summary>Finds what <c>"from"</c> of a project names: a folder, as seen from the project file, or a run.</summary>
    /// <param name="artifacts">The folder of all runs.</param>
    public static Func<string, string, string> Finder(string artifacts) => (from, folder) =>
    {
        var path = System.IO.Path.Combine(folder, from);
        return Directory.Exists(path) ? System.IO.Path.GetFullPath(path) : Find(artifacts, from).Path;
    };

    /// <summary>Copies saved tensors into a graph's parameters and buffers of the same names.</summary>
    /// <exception cref="UserErrorException">A name or a shape does not fit; all of them are listed.</exception>
    public static void CopyInto(string file, IReadOnlyDictionary<string, Tensor> saved, IEnumerable<(string Name, Tensor Value)> targets)
    {
        using var _ = no_grad();
        var problems = new List<string>();
        foreach (var (name, value) in targets)
            if (!saved.TryGetValue(name, out var source)) problems.Add($"'{name}' is missing");
            else if (!source.shape.SequenceEqual(value.shape)) problems.Add($"'{name}' is [{string.Join(",", source.shape)}] and should be [{string.Join(",", value.shape)}]");
            else value.copy_(source);
        if (problems.Count > 0)
            throw new UserErrorException($"{file} does not fit this graph: {string.Join("; ", problems.Take(8))}{(problems.Count > 8 ? $"; and {problems.Count - 8} more" : "")}.");
    }

    /// <summary>Writes the run's record.</summary>
    public void WriteRecord(JsonObject record) =>
        AtomicFile.WriteText(Record, record.ToJsonString(Indented));

    internal static JsonSerializerOptions Indented { get; } = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private string File(string name) => System.IO.Path.Combine(Path, name);
}
