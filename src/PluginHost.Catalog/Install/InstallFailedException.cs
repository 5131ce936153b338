namespace PluginHost.Catalog.Install;

/// <summary>A package could not be installed, or an installed one is not what it was. Everything is as it was before.</summary>
public class InstallFailedException(string message) : Exception(message);

/// <summary>The package is a whole one, of another type.</summary>
internal sealed class NoPluginPackageException(string message) : InstallFailedException(message);
