using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PluginHost.Graph.Execution;

/// <summary>Seeds that depend on the run's seed and a name alone, on every machine and in every process.</summary>
internal static class StableSeed
{
    public static long Of(long seed, string name)
    {
        var text = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seed}/{name}"));
        return BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(text)) & long.MaxValue;
    }
}
