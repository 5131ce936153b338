namespace PluginHost.Config;

/// <summary>Which packages are trusted.</summary>
public enum SignaturePolicy
{
    /// <summary>Every package from an allowed feed, signed or not.</summary>
    Any,

    /// <summary>Only packages that the lock file names, with the content that it names.</summary>
    Locked,

    /// <summary>Only packages signed by one of the listed certificates.</summary>
    Signed,
}

/// <summary>A place that packages come from.</summary>
/// <param name="Name">Its name in the host file; a folder given on the command line is its own name.</param>
/// <param name="Address">The address of a NuGet v3 index, or an absolute folder.</param>
public sealed record PackageFeed(string Name, string Address)
{
    public bool IsFolder => !Address.Contains("://", StringComparison.Ordinal);
}

/// <summary>Packages of some ids come from one feed and from no other, so that nobody can slip in a package of the same name elsewhere.</summary>
/// <param name="Pattern">A package id, or the beginning of ids and <c>*</c>.</param>
/// <param name="Feed">Name of the feed.</param>
public sealed record FeedPrefix(string Pattern, string Feed)
{
    /// <summary>Characters of the id that the pattern fixes; the longest pattern that matches decides.</summary>
    public int Length => Pattern.EndsWith('*') ? Pattern.Length - 1 : int.MaxValue;

    public bool Matches(string id) => Pattern.EndsWith('*')
        ? id.StartsWith(Pattern[..^1], StringComparison.OrdinalIgnoreCase)
        : id.Equals(Pattern, StringComparison.OrdinalIgnoreCase);
}

/// <summary>How plugin packages are installed.</summary>
/// <param name="Store">Folder of the installed packages and their lock file; absolute.</param>
/// <param name="Feeds">The only places that packages may come from, by name.</param>
/// <param name="Prefixes">Ids that are tied to a feed.</param>
/// <param name="Signatures">Which packages are trusted.</param>
/// <param name="Certificates">SHA-256 fingerprints, in upper-case hex, of the certificates that the policy <c>signed</c> trusts.</param>
public sealed record InstallConfig(
    string Store, IReadOnlyList<PackageFeed> Feeds, IReadOnlyList<FeedPrefix> Prefixes, SignaturePolicy Signatures, IReadOnlyList<string> Certificates);
