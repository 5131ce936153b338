using System.Text.Json;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Published;

/// <summary>
/// A model's folder as Hugging Face's libraries write it: <c>config.json</c>, and weights in <c>model.safetensors</c> or in several files that
/// <c>model.safetensors.index.json</c> lists. Pickled weights are never opened.
/// </summary>
public sealed class PublishedFolder : IDisposable
{
    private const string Single = "model.safetensors";
    private const string Index = "model.safetensors.index.json";

    private readonly List<SafeTensorsFile> files = [];
    private readonly Dictionary<string, SafeTensorsFile> owners = [];

    private PublishedFolder(string path, JsonElement config) => (Path, Config) = (path, config);

    public string Path { get; }

    /// <summary>The content of <c>config.json</c>.</summary>
    public JsonElement Config { get; }

    /// <summary>Names of all tensors, in order.</summary>
    public IEnumerable<string> Names => owners.Keys.Order(StringComparer.Ordinal);

    /// <summary>Opens a folder and checks the headers of its weights.</summary>
    /// <exception cref="UserErrorException">Something is missing or not sound; the message says what.</exception>
    public static PublishedFolder Open(string path)
    {
        if (!Directory.Exists(path)) throw new UserErrorException($"{path}: there is no such folder.");
        var folder = new PublishedFolder(System.IO.Path.GetFullPath(path), ReadJson(path, "config.json"));
        try
        {
            folder.OpenWeights();
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    public bool Has(string name) => owners.ContainsKey(name);

    /// <summary>Sizes of a tensor.</summary>
    public IReadOnlyList<long> Shape(string name) => owners[name].Entries[name].Shape;

    /// <summary>A tensor in fp32 (whole numbers in their own type), which no dispose scope owns.</summary>
    public Tensor Load(string name) => owners[name].Load(name, widen: true);

    /// <summary>The text of a file beside the weights; null when there is none.</summary>
    public string? Text(string name) => File.Exists(FileOf(name)) ? File.ReadAllText(FileOf(name)) : null;

    /// <summary>A JSON file beside the weights; null when there is none.</summary>
    public JsonElement? Json(string name) => File.Exists(FileOf(name)) ? ReadJson(Path, name) : null;

    public void Dispose()
    {
        foreach (var file in files) file.Dispose();
    }

    private string FileOf(string name) => System.IO.Path.Combine(Path, name);

    private void OpenWeights()
    {
        if (File.Exists(FileOf(Index))) OpenShards(ReadJson(Path, Index));
        else if (File.Exists(FileOf(Single)))
            foreach (var name in Map(Single).Entries.Keys) owners[name] = files[^1];
        else throw new UserErrorException($"{Path}: {NoWeights()}.");
    }

    private string NoWeights()
    {
        var pickled = Directory.EnumerateFiles(Path).Select(System.IO.Path.GetFileName).Where(name => System.IO.Path.GetExtension(name) is ".bin" or ".pt" or ".pth" or ".ckpt" or ".pkl").Order(StringComparer.Ordinal).ToArray();
        return pickled.Length == 0
            ? $"there is neither {Single} nor {Index}"
            : $"its weights are pickled ({string.Join(", ", pickled.Take(3))}), and to read a pickle is to run the code in it; have them saved as safetensors (save_pretrained with safe_serialization) and import that";
    }

    private void OpenShards(JsonElement index)
    {
        if (index.ValueKind != JsonValueKind.Object || !index.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object) throw new UserErrorException($"{FileOf(Index)} has no 'weight_map'.");
        var shards = new Dictionary<string, SafeTensorsFile>();
        foreach (var entry in map.EnumerateObject())
        {
            var shard = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";
            if (shard.Length == 0 || System.IO.Path.GetFileName(shard) != shard) throw new UserErrorException($"{FileOf(Index)} puts '{entry.Name}' into {entry.Value.GetRawText()}, which names no file of this folder.");
            if (!shards.TryGetValue(shard, out var file)) shards[shard] = file = Map(shard);
            if (!file.Entries.ContainsKey(entry.Name)) throw new UserErrorException($"{FileOf(shard)} lacks the tensor '{entry.Name}', which {Index} puts there.");
            owners[entry.Name] = file;
        }
    }

    private SafeTensorsFile Map(string name)
    {
        files.Add(SafeTensorsFile.Open(FileOf(name)));
        return files[^1];
    }

    private static JsonElement ReadJson(string folder, string name)
    {
        var path = System.IO.Path.Combine(folder, name);
        if (!File.Exists(path)) throw new UserErrorException($"{path}: there is no such file; a published model's folder has one.");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{path} is no JSON: {error.Message}");
        }
    }
}
