using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Config;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Artifacts;

/// <summary>
/// The safetensors format: a length, a JSON header with name, type, shape and offsets of each tensor, then the raw bytes.
/// No code is ever in such a file. Source: the format description of huggingface/safetensors.
/// </summary>
public static class SafeTensors
{
    /// <summary>The format's own limit on the header.</summary>
    private const long MaxHeader = 100_000_000;

    private static readonly (string Name, ScalarType Type)[] Types =
    [
        ("F32", ScalarType.Float32), ("F64", ScalarType.Float64), ("F16", ScalarType.Float16), ("BF16", ScalarType.BFloat16),
        ("I64", ScalarType.Int64), ("I32", ScalarType.Int32), ("I16", ScalarType.Int16), ("I8", ScalarType.Int8),
        ("U8", ScalarType.Byte), ("BOOL", ScalarType.Bool),
    ];

    /// <summary>Writes tensors, sorted by name, and free-form text metadata; the file is whole or not there.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var ordered = tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToList();
        var header = new JsonObject { ["__metadata__"] = new JsonObject(metadata.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))) };
        long offset = 0;
        foreach (var (name, value) in ordered)
        {
            var bytes = value.numel() * value.element_size();
            header[name] = new JsonObject
            {
                ["dtype"] = Types.First(type => type.Type == value.dtype).Name,
                ["shape"] = new JsonArray([.. value.shape.Select(size => (JsonNode)size)]),
                ["data_offsets"] = new JsonArray(offset, offset + bytes),
            };
            offset += bytes;
        }
        var json = JsonSerializer.SerializeToUtf8Bytes((JsonNode)header);
        var padded = new byte[(json.Length + 7) / 8 * 8]; // tensors start on eight bytes
        padded.AsSpan().Fill((byte)' ');
        json.CopyTo(padded, 0);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, padded.Length);
            stream.Write(length);
            stream.Write(padded);
            foreach (var (_, value) in ordered)
            {
                using var scope = NewDisposeScope();
                stream.Write(value.detach().cpu().contiguous().bytes);
            }
        });
    }

    /// <summary>Reads all tensors into memory.</summary>
    /// <exception cref="UserErrorException">The file is missing or not sound; the message says where.</exception>
    public static (IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata) Read(string path)
    {
        if (!File.Exists(path)) throw new UserErrorException($"{path}: there is no such file.");
        using var stream = File.OpenRead(path);
        var (entries, metadata, start) = ReadHeader(path, stream);
        var tensors = new Dictionary<string, Tensor>();
        foreach (var entry in entries)
        {
            var value = empty(entry.Shape, dtype: entry.Type).DetachFromDisposeScope();
            var bytes = new byte[entry.End - entry.Begin];
            stream.Position = start + entry.Begin;
            stream.ReadExactly(bytes);
            if (bytes.Length > 0) value.bytes = bytes;
            tensors[entry.Name] = value;
        }
        return (tensors, metadata);
    }

    private sealed record Entry(string Name, ScalarType Type, long[] Shape, long Begin, long End);

    /// <summary>Everything is checked against the file's length before a tensor is allocated.</summary>
    private static (List<Entry> Entries, Dictionary<string, string> Metadata, long Start) ReadHeader(string path, FileStream stream)
    {
        UserErrorException Bad(string what) => new($"{path}: not a sound safetensors file: {what}.");
        Span<byte> prefix = stackalloc byte[8];
        if (stream.Length < 8) throw Bad("it is shorter than eight bytes");
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (length < 2 || length > MaxHeader || length > stream.Length - 8) throw Bad($"its header claims {length} bytes");
        var json = new byte[length];
        stream.ReadExactly(json);
        var entries = new List<Entry>();
        var metadata = new Dictionary<string, string>();
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            foreach (var property in document.RootElement.EnumerateObject())
                if (property.NameEquals("__metadata__"))
                    foreach (var pair in property.Value.EnumerateObject()) metadata[pair.Name] = pair.Value.GetString() ?? "";
                else
                    entries.Add(Parse(property, Bad));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw Bad($"its header is not what the format asks for ({e.Message})");
        }
        var position = 0L;
        foreach (var entry in entries.OrderBy(entry => entry.Begin))
        {
            if (entry.Begin != position) throw Bad($"'{entry.Name}' begins at {entry.Begin} where {position} is next: a gap or an overlap");
            position = entry.End;
        }
        if (position != stream.Length - 8 - length) throw Bad($"its tensors end at {position}, its data at {stream.Length - 8 - length}");
        return (entries, metadata, 8 + length);
    }

    private static Entry Parse(JsonProperty property, Func<string, UserErrorException> bad)
    {
        var type = property.Value.GetProperty("dtype").GetString();
        var shape = property.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToArray();
        var offsets = property.Value.GetProperty("data_offsets").EnumerateArray().Select(value => value.GetInt64()).ToArray();
        var known = Types.Where(candidate => candidate.Name == type).ToArray();
        if (known.Length == 0) throw bad($"'{property.Name}' is of the unknown type {type}");
        if (offsets.Length != 2 || offsets[0] < 0 || offsets[1] < offsets[0]) throw bad($"'{property.Name}' has no sound offsets");
        long count = 1;
        try
        {
            foreach (var size in shape) count = size < 0 ? throw bad($"'{property.Name}' has a negative size") : checked(count * size);
            count = checked(count * known[0].Type.ElementSize());
        }
        catch (OverflowException)
        {
            throw bad($"'{property.Name}' has more elements than can be counted");
        }
        if (count != offsets[1] - offsets[0]) throw bad($"'{property.Name}' needs {count} bytes and has {offsets[1] - offsets[0]}");
        return new Entry(property.Name, known[0].Type, shape, offsets[0], offsets[1]);
    }
}
