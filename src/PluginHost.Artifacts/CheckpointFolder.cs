using System.Globalization;
using System.Text.Json;
using PluginHost.Config;
using PluginHost.Runs.Training;
using PluginHost.Sdk;

namespace PluginHost.Artifacts;

/// <summary>
/// The training states of a run, one safetensors file each: <c>STAGE-STEP.safetensors</c>, or <c>STAGE-STEP-best.safetensors</c> where no
/// validation of the stage had been better. A name sorts as its state is old. Written by one process at a time.
/// </summary>
public sealed class CheckpointFolder(string path) : ICheckpoints
{
    private const string Best = "-best";

    public string Path { get; } = path;

    /// <summary>The files, the oldest first.</summary>
    public IReadOnlyList<string> Files => Directory.Exists(Path) ? [.. Directory.GetFiles(Path, "*.safetensors").Order(StringComparer.Ordinal)] : [];

    /// <inheritdoc/>
    public void Save(TrainingState state, int keep)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{state.Stage:00}-{state.Step:000000000}{(state.IsBest ? Best : "")}.safetensors");
        SafeTensors.Write(System.IO.Path.Combine(Path, name), state.Tensors, new Dictionary<string, string>
        {
            ["stage"] = state.Stage.ToString(CultureInfo.InvariantCulture),
            ["step"] = state.Step.ToString(CultureInfo.InvariantCulture),
            ["seconds"] = state.Seconds.ToString("R", CultureInfo.InvariantCulture),
            ["tokens"] = state.Tokens.ToString(CultureInfo.InvariantCulture),
            ["losses"] = JsonSerializer.Serialize(state.Losses.ToArray()),
            ["validations"] = JsonSerializer.Serialize(state.Validations.Select(point => new double?[] { point.Step, point.Loss, point.AverageLoss }).ToArray()),
        });
        Prune(keep);
    }

    /// <summary>The newest state that is sound, with its file; null when there is none yet.</summary>
    /// <param name="say">Told about files that are not sound; going back to an older one costs time and changes no number.</param>
    public (TrainingState State, string File)? Load(Action<string> say)
    {
        foreach (var file in Files.Reverse())
        {
            try
            {
                return (Read(file), file);
            }
            catch (Exception error) when (error is UserErrorException or IOException or JsonException or KeyNotFoundException or FormatException)
            {
                say($"{error.Message} Trying the one before.");
            }
        }
        return null;
    }

    /// <summary>Reads one state.</summary>
    /// <exception cref="UserErrorException">The file is not sound.</exception>
    public static TrainingState Read(string file)
    {
        var (tensors, metadata) = SafeTensors.Read(file);
        var validations = JsonSerializer.Deserialize<double?[][]>(metadata["validations"])!.Select(point => new ValidationPoint((int)point[0]!, (double)point[1]!, point[2]));
        return new TrainingState(
            int.Parse(metadata["stage"], CultureInfo.InvariantCulture), int.Parse(metadata["step"], CultureInfo.InvariantCulture),
            double.Parse(metadata["seconds"], CultureInfo.InvariantCulture), long.Parse(metadata["tokens"], CultureInfo.InvariantCulture),
            JsonSerializer.Deserialize<double[]>(metadata["losses"])!, [.. validations], tensors)
        {
            IsBest = IsBest(file),
        };
    }

    private static bool IsBest(string file) => System.IO.Path.GetFileNameWithoutExtension(file).EndsWith(Best, StringComparison.Ordinal);

    private static string StageOf(string file) => System.IO.Path.GetFileName(file).Split('-')[0];

    // A best state supersedes the stage's best before it, so the newest of them is the best.
    private void Prune(int keep)
    {
        var files = Files;
        var best = files.Where(IsBest).GroupBy(StageOf).Select(stage => stage.Last());
        foreach (var file in files.SkipLast(keep).Except(best)) File.Delete(file);
        // A killed process leaves what it was writing.
        foreach (var file in Directory.GetFiles(Path, "*.tmp")) File.Delete(file);
        AtomicFile.FlushFolder(Path);
    }
}
