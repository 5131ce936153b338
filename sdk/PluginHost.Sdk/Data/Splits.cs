using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace PluginHost.Sdk;

/// <summary>The common rule that assigns samples to splits by their id alone, so that no sample moves when others come or go.</summary>
public static class Splits
{
    /// <summary>Samples to learn from.</summary>
    public const string Train = "train";

    /// <summary>Samples that the training watches.</summary>
    public const string Validation = "validation";

    /// <summary>Samples for the final figures.</summary>
    public const string Test = "test";

    /// <summary>
    /// The split of a sample: the SHA-1 of its UTF-8 id, as a big-endian unsigned integer n, is <c>test</c> when n mod 5 = 0;
    /// of the rest a twentieth ((n / 5) mod 20 = 0) is <c>validation</c>, and everything else <c>train</c>.
    /// </summary>
    /// <param name="id">The sample's id.</param>
    public static string Of(string id)
    {
        // CA5350 does not apply: the hash only spreads ids evenly, nothing is protected by it.
#pragma warning disable CA5350
        var number = new BigInteger(SHA1.HashData(Encoding.UTF8.GetBytes(id)), isUnsigned: true, isBigEndian: true);
#pragma warning restore CA5350
        if (number % 5 == 0) return Test;
        return number / 5 % 20 == 0 ? Validation : Train;
    }
}
