using System.Text.Json;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Artifacts;

/// <summary>A tensor of a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Type of its elements.</param>
/// <param name="Shape">Its sizes.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">The byte after its last.</param>
public sealed record SafeTensorsEntry(string Name, ScalarType Type, IReadOnlyList<long> Shape, long Begin, long End)
{
    public long Bytes => End - Begin;
}

/// <summary>The header of a safetensors file. Read token by token, so that no claim in it ever makes us allocate more than it is long.</summary>
internal sealed class SafeTensorsHeader
{
    /// <summary>libtorch's limit.</summary>
    private const int MaxDimensions = 64;

    internal static readonly (string Name, ScalarType Type)[] Types =
    [
        ("F32", ScalarType.Float32), ("F64", ScalarType.Float64), ("F16", ScalarType.Float16), ("BF16", ScalarType.BFloat16),
        ("I64", ScalarType.Int64), ("I32", ScalarType.Int32), ("I16", ScalarType.Int16), ("I8", ScalarType.Int8),
        ("U8", ScalarType.Byte), ("BOOL", ScalarType.Bool),
    ];

    private readonly Dictionary<string, SafeTensorsEntry> entries = [];
    private readonly Dictionary<string, string> metadata = [];

    public IReadOnlyDictionary<string, SafeTensorsEntry> Entries => entries;

    public IReadOnlyDictionary<string, string> Metadata => metadata;

    /// <summary>Reads a header and holds it against the length of what follows.</summary>
    /// <exception cref="FormatException">It is not sound; the message completes "not a sound safetensors file:".</exception>
    public static SafeTensorsHeader Parse(ReadOnlySpan<byte> json, long data)
    {
        var header = new SafeTensorsHeader();
        try
        {
            header.Read(json);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new FormatException($"its header is not what the format asks for ({error.Message.TrimEnd('.')})");
        }
        header.CheckLayout(data);
        return header;
    }

    private void Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        Expect(ref reader, JsonTokenType.StartObject, "an object");
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (name == "__metadata__") ReadMetadata(ref reader);
            else if (!entries.TryAdd(name, ReadEntry(ref reader, name))) throw new FormatException($"its header names '{name}' twice");
        }
        while (reader.Read())
        {
            // nothing may follow but white space: the reader throws otherwise
        }
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, "an object of texts as __metadata__");
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            Expect(ref reader, JsonTokenType.String, $"a text as metadata '{name}'");
            if (!metadata.TryAdd(name, reader.GetString()!)) throw new FormatException($"its metadata names '{name}' twice");
        }
    }

    private static SafeTensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        ScalarType? type = null;
        long[]? shape = null, offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, $"an object for '{name}'");
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("dtype") && type is null) type = ReadType(ref reader, name);
            else if (reader.ValueTextEquals("shape") && shape is null) shape = ReadNumbers(ref reader, name, MaxDimensions);
            else if (reader.ValueTextEquals("data_offsets") && offsets is null) offsets = ReadNumbers(ref reader, name, 2);
            else throw new FormatException($"its header gives '{name}' the key '{reader.GetString()}', where dtype, shape and data_offsets stand once each");
        }
        if (type is null || shape is null || offsets is null) throw new FormatException($"its header gives '{name}' no {(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}");
        if (offsets.Length != 2 || offsets[1] < offsets[0]) throw new FormatException($"'{name}' has no sound offsets");
        var needed = Size(name, shape, type.Value);
        return needed == offsets[1] - offsets[0]
            ? new SafeTensorsEntry(name, type.Value, shape, offsets[0], offsets[1])
            : throw new FormatException($"'{name}' needs {needed} bytes and has {offsets[1] - offsets[0]}");
    }

    private static ScalarType ReadType(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.String, $"a text as dtype of '{name}'");
        foreach (var (text, type) in Types)
            if (reader.ValueTextEquals(text)) return type;
        throw new FormatException($"'{name}' is of the unknown type {reader.GetString()}; known are {string.Join(", ", Types.Select(item => item.Name))}");
    }

    private static long[] ReadNumbers(ref Utf8JsonReader reader, string name, int limit)
    {
        Expect(ref reader, JsonTokenType.StartArray, $"an array of sizes for '{name}'");
        var numbers = new List<long>();
        while (Next(ref reader) == JsonTokenType.Number)
        {
            if (numbers.Count == limit) throw new FormatException($"'{name}' has an array of more than {limit} numbers");
            if (!reader.TryGetInt64(out var number)) throw new FormatException($"'{name}' has more elements than can be counted");
            numbers.Add(number >= 0 ? number : throw new FormatException($"'{name}' has a negative size"));
        }
        return reader.TokenType == JsonTokenType.EndArray ? [.. numbers] : throw new FormatException($"'{name}' has a size that is no number");
    }

    // Zeros are left out of the product: [0, 2^62, 2^62] has no elements, and strides that overflow.
    private static long Size(string name, long[] shape, ScalarType type)
    {
        try
        {
            var bytes = shape.Aggregate((long)type.ElementSize(), (product, size) => checked(product * Math.Max(size, 1)));
            return shape.Contains(0) ? 0 : bytes;
        }
        catch (OverflowException)
        {
            throw new FormatException($"'{name}' has more elements than can be counted");
        }
    }

    private void CheckLayout(long data)
    {
        var position = 0L;
        foreach (var entry in entries.Values.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End))
        {
            if (entry.Begin != position) throw new FormatException($"'{entry.Name}' begins at {entry.Begin} where {position} is next: a gap or an overlap");
            position = entry.End;
        }
        if (position != data) throw new FormatException($"its tensors end at {position}, its data at {data}{(position > data ? ": the file was cut off" : "")}");
    }

    private static JsonTokenType Next(ref Utf8JsonReader reader) => reader.Read() ? reader.TokenType : throw new FormatException("its header ends in the middle");

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string what)
    {
        if (Next(ref reader) != type) throw new FormatException($"its header has no {what}");
    }
}
