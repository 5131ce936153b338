using NuGet.Packaging;
using NuGet.Versioning;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Install;

/// <summary>A package that somebody asks for: <c>Acme.Fusion</c>, <c>Acme.Fusion@1.2.0</c>, <c>Acme.Fusion@[1.2,2.0)</c>, <c>Acme.Fusion@1.*</c>.</summary>
/// <param name="Id">Package id.</param>
/// <param name="Range">Versions that will do; the highest is taken.</param>
/// <param name="Text">The range as it was given, for messages.</param>
internal sealed record PackageRequest(string Id, VersionRange? Range, string? Text)
{
    /// <summary>Reads what stands on the command line.</summary>
    /// <exception cref="UserErrorException">It is no id, or the version is no version.</exception>
    public static PackageRequest Parse(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var id = at < 0 ? text : text[..at];
        if (!PackageIdValidator.IsValidPackageId(id)) throw new UserErrorException($"'{id}' is no package id; one is letters, digits, dots, dashes and underscores, such as Acme.Fusion");
        if (at < 0) return new PackageRequest(id, null, null);
        var version = text[(at + 1)..];
        if (NuGetVersion.TryParse(version, out var exact)) return new PackageRequest(id, new VersionRange(exact, true, exact, true), version);
        if (version.Length > 0 && VersionRange.TryParse(version, allowFloating: true, out var range)) return new PackageRequest(id, range, version);
        throw new UserErrorException($"'{version}' is neither a version nor a range; 1.2.0, [1.2,2.0) and 1.* are some");
    }

    /// <summary>The highest version that will do; a pre-release only when the range names one.</summary>
    public NuGetVersion? Best(IEnumerable<NuGetVersion> versions)
    {
        if (Range is null) return versions.Where(version => !version.IsPrerelease).Max();
        if (Range.IsFloating) return Range.FindBestMatch(versions);
        var early = Range.MinVersion?.IsPrerelease == true || Range.MaxVersion?.IsPrerelease == true;
        return versions.Where(version => (early || !version.IsPrerelease) && Range.Satisfies(version)).Max();
    }
}
