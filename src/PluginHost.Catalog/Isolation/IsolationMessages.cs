using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Isolation;

/// <summary>The first message: which plugin the process is for.</summary>
internal sealed record IsolationStart(string Folder, string Assembly, string Id, Dictionary<string, object?> Settings);

/// <summary>A call of a method of an SDK interface.</summary>
internal sealed record IsolationCall(string Interface, string Method, JsonElement[] Arguments);

/// <summary>What became of the start, or of a call.</summary>
/// <param name="Result">What the method returned.</param>
/// <param name="ErrorType">Name of the exception's type, or null when all went well.</param>
/// <param name="Error">Its message.</param>
internal sealed record IsolationReply(JsonElement? Result, string? ErrorType, string? Error);

/// <summary>
/// All that crosses the border of a process, as generated code: a plugin's kind can be isolated when its interface speaks of these types
/// only. A further kind adds its types here.
/// </summary>
[JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(IsolationStart))]
[JsonSerializable(typeof(IsolationCall))]
[JsonSerializable(typeof(IsolationReply))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(bool))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(double))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(bool[]))]
[JsonSerializable(typeof(long[]))]
[JsonSerializable(typeof(double[]))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(IReadOnlyList<Prediction>))]
[JsonSerializable(typeof(IReadOnlyList<MetricValue>))]
internal sealed partial class IsolationMessages : JsonSerializerContext
{
    private const int Largest = 1 << 28; // bytes

    /// <summary>Whether values of a type can cross.</summary>
    public static bool Carries(Type type) => type == typeof(CancellationToken) || type == typeof(void) || Default.GetTypeInfo(type) is not null;

    public static JsonElement Pack(object? value, Type type) => JsonSerializer.SerializeToElement(value, Default.GetTypeInfo(type)!);

    public static object? Unpack(JsonElement value, Type type) => value.Deserialize(Default.GetTypeInfo(type)!);

    /// <summary>Writes the length in four bytes, little-endian, and the JSON.</summary>
    public static void Write<T>(Stream stream, T message)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(message, typeof(T), Default);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, json.Length);
        stream.Write(length);
        stream.Write(json);
        stream.Flush();
    }

    /// <summary>Reads a message; null at the end of the stream.</summary>
    /// <exception cref="IOException">The stream holds something else, or breaks off.</exception>
    public static T? Read<T>(Stream stream) where T : class
    {
        Span<byte> head = stackalloc byte[4];
        var read = stream.ReadAtLeast(head, 4, throwOnEndOfStream: false);
        if (read == 0) return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(head);
        if (read < 4 || length is < 2 or > Largest) throw new IOException("the message is not one of the host's");
        var json = new byte[length];
        stream.ReadExactly(json);
        try
        {
            return (T?)JsonSerializer.Deserialize(json, typeof(T), Default);
        }
        catch (JsonException error)
        {
            throw new IOException(error.Message);
        }
    }
}
