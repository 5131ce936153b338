using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace Filter.SafetyImage;

/// <summary>
/// The weights of a Keras model as the npm package nsfwjs ships them: scripts whose only content is a value, which are read and never run.
/// <c>model.min.js</c> holds an object with the manifest (names, shapes, and min and scale of the 8-bit codes: weight = code · scale + min),
/// <c>group1-shard1of1.min.js</c> the codes in base64.
/// </summary>
internal sealed class PublishedModel
{
    private const string Install = "npm install nsfwjs@4.4.0 (or set 'model')";
    private const long MostBytes = 64L << 20;
    private const string Exported = ".exports=";

    private readonly Dictionary<string, Entry> entries;
    private readonly byte[] codes;

    private sealed record Entry(long[] Shape, int Offset, int Count, double Least, double Scale);

    private PublishedModel(string folder, Dictionary<string, Entry> entries, byte[] codes) => (Folder, this.entries, this.codes) = (folder, entries, codes);

    /// <summary>Where it was read from.</summary>
    public string Folder { get; }

    /// <exception cref="UserErrorException">It is missing or damaged.</exception>
    public static PublishedModel Read(string folder)
    {
        if (!Directory.Exists(folder)) throw new UserErrorException($"filter.safety-image: there is no model '{folder}'; install it beside the project file with: {Install}");
        try
        {
            var manifest = ScriptLiteral.Read(Text(folder, "model.min.js", MostBytes), Exported)["weightsManifest"]?.AsArray() ?? throw new FormatException("it has no weightsManifest");
            var (entries, total) = Entries(manifest);
            if (manifest is not [JsonObject group] || group["paths"] is not JsonArray { Count: 1 } paths) throw new FormatException("its weights are not in one part");
            var name = Path.GetFileName(paths[0]!.GetValue<string>()) + ".min.js";
            // Three bytes are four characters; what is around them is short. The size is known before anything is allocated.
            var characters = (total + 2) / 3 * 4;
            return new PublishedModel(folder, entries, Codes(name, Text(folder, name, characters + 10_000), total));
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"filter.safety-image: the model in '{folder}' is damaged or another than expected: {error.Message}; install it anew with: {Install}");
        }
    }

    /// <summary>A weight, of a shape in which null is any size.</summary>
    /// <exception cref="UserErrorException">It is missing or of another shape.</exception>
    public Tensor Tensor(string name, params long?[] shape)
    {
        if (!entries.TryGetValue(name, out var entry)) throw new UserErrorException($"filter.safety-image: the model in '{Folder}' has no weight '{name}'; it takes a MobileNetV2 of nsfwjs");
        if (entry.Shape.Length != shape.Length || shape.Zip(entry.Shape).Any(pair => pair.First is { } size && size != pair.Second))
            throw new UserErrorException($"filter.safety-image: '{name}' in '{Folder}' is [{string.Join(", ", entry.Shape)}] where [{string.Join(", ", shape.Select(size => size?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "any"))}] is expected");
        var values = new float[entry.Count];
        for (var i = 0; i < values.Length; i++) values[i] = (float)(codes[entry.Offset + i] * entry.Scale + entry.Least);
        return tensor(values, entry.Shape);
    }

    private static (Dictionary<string, Entry>, long Total) Entries(JsonArray manifest)
    {
        var (entries, total) = (new Dictionary<string, Entry>(), 0L);
        foreach (var weight in manifest.SelectMany(group => group?["weights"]?.AsArray() ?? throw new FormatException("it names no weights")))
        {
            var name = weight?["name"]?.GetValue<string>() ?? throw new FormatException("a weight has no name");
            if (weight["quantization"] is not JsonObject { } quantization || quantization["dtype"]?.GetValue<string>() != "uint8") throw new FormatException($"'{name}' is not in codes of 8 bits");
            long[] shape = [.. (weight["shape"]?.AsArray() ?? throw new FormatException($"'{name}' has no shape")).Select(size => (long)size!.GetValue<double>())];
            var count = 1L;
            foreach (var size in shape)
                if (size < 1 || (count *= size) > MostBytes) throw new FormatException($"'{name}' is [{string.Join(", ", shape)}]");
            if ((total += count) > MostBytes || entries.ContainsKey(name)) throw new FormatException($"'{name}' makes it too large, or is there twice");
            entries.Add(name, new Entry(shape, (int)(total - count), (int)count, quantization["min"]!.GetValue<double>(), quantization["scale"]!.GetValue<double>()));
        }
        return (entries, total);
    }

    private static byte[] Codes(string name, string script, long total)
    {
        var at = script.IndexOf(Exported + '"', StringComparison.Ordinal);
        var from = at + Exported.Length + 1;
        var to = at < 0 ? -1 : script.IndexOf('"', from);
        if (to < 0) throw new FormatException($"'{name}' has no string of weights");
        var codes = new byte[total];
        var status = Base64.DecodeFromUtf8(Encoding.ASCII.GetBytes(script[from..to]), codes, out _, out var written);
        return status == OperationStatus.Done && written == total ? codes : throw new FormatException($"'{name}' holds another number of weights than the {total:N0} of the manifest");
    }

    private static string Text(string folder, string name, long most)
    {
        var file = new FileInfo(Path.Combine(folder, name));
        if (!file.Exists) throw new FormatException($"'{name}' is missing");
        if (file.Length > most) throw new FormatException($"'{name}' has {file.Length:N0} bytes where at most {most:N0} are expected");
        return File.ReadAllText(file.FullName);
    }
}
