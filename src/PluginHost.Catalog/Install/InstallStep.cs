namespace PluginHost.Catalog.Install;

/// <summary>Something that an install is doing, for a person who waits.</summary>
/// <param name="Doing">What, and with which package: <c>downloading Acme.Fusion 1.0.0 from local</c>.</param>
/// <param name="Part">The part that is done, 0 to 1; null when that cannot be said.</param>
public sealed record InstallStep(string Doing, double? Part = null);

/// <summary>What became of a package.</summary>
/// <param name="Id">Package id.</param>
/// <param name="Before">The version that was active, or null.</param>
/// <param name="After">The version that is active now, or null.</param>
/// <param name="Source">Where the active version came from, or null.</param>
public sealed record PackageChange(string Id, string? Before, string? After, string? Source);
