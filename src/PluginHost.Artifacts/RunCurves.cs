using System.Buffers.Binary;
using Tensorboard;

namespace PluginHost.Artifacts;

/// <summary>The scalars that a training writes as it goes (<see cref="RunFolder.Events"/>), read back; also while it writes on.</summary>
public static class RunCurves
{
    private const int Header = 12; // length, and its checksum
    private const int Checksum = 4;

    /// <summary>Each scalar by its tag, in the order of steps; a step that was run again counts as it was run last.</summary>
    /// <param name="folder">The folder of event files; none: there are no curves.</param>
    public static IReadOnlyDictionary<string, IReadOnlyList<(long Step, float Value)>> Read(string folder)
    {
        var curves = new SortedDictionary<string, SortedDictionary<long, float>>(StringComparer.Ordinal);
        foreach (var file in Directory.Exists(folder) ? Directory.GetFiles(folder, "*tfevents*").Order(StringComparer.Ordinal) : Enumerable.Empty<string>())
            foreach (var record in Records(file))
                foreach (var value in record.Summary?.Value ?? [])
                {
                    if (value.ValueCase != Summary.Types.Value.ValueOneofCase.SimpleValue) continue;
                    if (!curves.TryGetValue(value.Tag, out var curve)) curves[value.Tag] = curve = [];
                    curve[record.Step] = value.SimpleValue;
                }
        return curves.ToDictionary(curve => curve.Key, curve => (IReadOnlyList<(long, float)>)[.. curve.Value.Select(point => (point.Key, point.Value))]);
    }

    // A record that is still being written is left for the next time.
    private static IEnumerable<Event> Records(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var header = new byte[Header];
        while (stream.ReadAtLeast(header, Header, throwOnEndOfStream: false) == Header)
        {
            var length = BinaryPrimitives.ReadUInt64LittleEndian(header);
            if (length + Checksum > (ulong)(stream.Length - stream.Position)) yield break;
            var data = new byte[length + Checksum];
            stream.ReadExactly(data);
            Event record;
            try
            {
                record = Event.Parser.ParseFrom(data, 0, (int)length);
            }
            catch (Google.Protobuf.InvalidProtocolBufferException)
            {
                yield break;
            }
            yield return record;
        }
    }
}
