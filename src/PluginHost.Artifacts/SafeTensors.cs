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
                ["dtype"] = TypeName(name, value.dtype),
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

    private static string TypeName(string name, ScalarType type)
    {
        foreach (var (text, known) in SafeTensorsHeader.Types)
            if (known == type) return text;
        throw new ArgumentException($"'{name}' is of type {type}, which safetensors files do not hold.");
    }

    /// <summary>Reads all tensors into memory, in the types that they are stored in. No dispose scope owns them.</summary>
    /// <exception cref="UserErrorException">The file is missing or not sound; the message says where.</exception>
    public static (IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata) Read(string path)
    {
        using var file = SafeTensorsFile.Open(path);
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            foreach (var name in file.Entries.Keys) tensors[name] = file.Load(name);
            return (tensors, file.Metadata);
        }
        catch
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw;
        }
    }
}
