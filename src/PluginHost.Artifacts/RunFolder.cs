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
/// <c>model.safetensors</c>, <c>checkpoint.safetensors</c> (to resume), <c>report.json</c>, <c>report.html</c>, <c>events/</c>
/// (TensorBoard), <c>examples/</c> (pictures and sounds of the report). Named by project and time; <c>latest</c> in the artifacts folder names the newest.
/// </summary>
public sealed class RunFolder(string path) : ICheckpoints
{
    private const string LatestAlias = "latest";

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    public string Name => System.IO.Path.GetFileName(Path);

    public string Record => File("run.json");

    public string Project => File("project.json");

    public string Tokenizer => File("tokenizer.json");

    public string Model => File("model.safetensors");

    public string Checkpoint => File("checkpoint.safetensors");

    public string ReportJson => File("report.json");

    public string ReportHtml => File("report.html");

    public string Events => File("events");

    public string Examples => File("examples");

    /// <summary>Makes a new, empty run folder.</summary>
    public static RunFolder Create(string artifacts, string project, DateTimeOffset now)
    {
        Directory.CreateDirectory(artifacts);
        for (var attempt = 0; ; attempt++)
        {
            var name = $"{project}-{now:yyyyMMdd-HHmmss}{(attempt == 0 ? "" : $"-{attempt + 1}")}";
            var path = System.IO.Path.Combine(artifacts, name);
            if (Directory.Exists(path)) continue;
            Directory.CreateDirectory(path);
            AtomicFile.WriteText(System.IO.Path.Combine(artifacts, LatestAlias), name);
            return new RunFolder(path);
        }
    }

    /// <summary>Finds a run by its folder, its name or an alias.</summary>
    /// <exception cref="UserErrorException">There is none; the message lists what there is.</exception>
    public static RunFolder Find(string artifacts, string run)
    {
        if (Directory.Exists(run) && System.IO.File.Exists(System.IO.Path.Combine(run, "project.json"))) return new RunFolder(run);
        var alias = System.IO.Path.Combine(artifacts, run);
        var name = System.IO.File.Exists(alias) ? System.IO.File.ReadAllText(alias).Trim() : run;
        var path = System.IO.Path.Combine(artifacts, name);
        if (Directory.Exists(path)) return new RunFolder(path);
        var known = Directory.Exists(artifacts) ? Directory.GetDirectories(artifacts).Select(System.IO.Path.GetFileName).Order().TakeLast(5).ToArray() : [];
        throw new UserErrorException(
            $"There is no run '{run}' in {System.IO.Path.GetFullPath(artifacts)}; {(known.Length == 0 ? "there are no runs yet: start with 'pluginhost run PROJECT'" : $"the newest are {string.Join(", ", known)}")}.");
    }

    public void Save(TrainingState state) => SafeTensors.Write(Checkpoint, state.Tensors, new Dictionary<string, string>
    {
        ["stage"] = state.Stage.ToString(),
        ["step"] = state.Step.ToString(),
        ["seconds"] = state.Seconds.ToString("R"),
        ["tokens"] = state.Tokens.ToString(),
        ["losses"] = JsonSerializer.Serialize(state.Losses.ToArray()),
        ["validations"] = JsonSerializer.Serialize(state.Validations.Select(point => new double[] { point.Step, point.Loss }).ToArray()),
    });

    /// <summary>The newest training state, or null when the run has none yet.</summary>
    public TrainingState? Load()
    {
        if (!System.IO.File.Exists(Checkpoint)) return null;
        var (tensors, metadata) = SafeTensors.Read(Checkpoint);
        var validations = JsonSerializer.Deserialize<double[][]>(metadata["validations"])!.Select(pair => new ValidationPoint((int)pair[0], pair[1]));
        return new TrainingState(
            int.Parse(metadata["stage"]), int.Parse(metadata["step"]), double.Parse(metadata["seconds"]), long.Parse(metadata["tokens"]),
            JsonSerializer.Deserialize<double[]>(metadata["losses"])!, [.. validations], tensors);
    }

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
