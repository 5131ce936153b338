namespace PluginHost.Catalog.Install;

/// <summary>What a package may cost before it is refused. Counted while the bytes come, since a header can lie.</summary>
/// <param name="PackageBytes">Size of the package file.</param>
/// <param name="ContentBytes">Size of all files together once extracted.</param>
/// <param name="Entries">Number of files in the package.</param>
/// <param name="Ratio">How many times larger the content may be than the package; small content is exempt.</param>
public sealed record PackageLimits(
    long PackageBytes = 2L << 30, long ContentBytes = 4L << 30, int Entries = 10_000, int Ratio = 100)
{
    /// <summary>Content up to this size is never a bomb, however well it is compressed, in bytes.</summary>
    public const long HarmlessBytes = 16 << 20;

    /// <summary>Size of the largest nuspec that is read, in bytes.</summary>
    public const long NuspecBytes = 1 << 20;

    /// <summary>The largest content that a package file of this size may have, in bytes.</summary>
    public long ContentOf(long packageBytes) => Math.Min(ContentBytes, Math.Max(HarmlessBytes, packageBytes * Ratio));
}
