using PluginHost.Catalog.Inspection;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Loading;

/// <summary>Private copies of plugin folders: a build may overwrite the original while the copy runs.</summary>
internal sealed class PluginCopies : IDisposable
{
    private const int Attempts = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private readonly Lazy<DirectoryInfo> root = new(() => Directory.CreateTempSubdirectory("pluginhost-"));

    /// <summary>Copies a folder once it is at rest.</summary>
    /// <exception cref="UserErrorException">It does not exist, or its files keep changing.</exception>
    public string Take(string folder)
    {
        if (!Directory.Exists(folder)) throw new UserErrorException($"there is no folder {folder}");
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var copy = Path.Combine(root.Value.FullName, Guid.NewGuid().ToString("N"), Path.GetFileName(folder.TrimEnd(Path.DirectorySeparatorChar)));
            if (TryCopy(folder, copy)) return copy;
            Release(copy);
            Thread.Sleep(Pause);
        }
        throw new UserErrorException($"the files in {folder} keep changing; try again when the build is done");
    }

    /// <summary>Deletes a copy.</summary>
    public void Release(string copy)
    {
        var parent = Path.GetDirectoryName(copy)!;
        if (root.IsValueCreated && Path.GetDirectoryName(parent) == root.Value.FullName && Directory.Exists(parent)) Directory.Delete(parent, true);
    }

    public void Dispose()
    {
        if (root.IsValueCreated) root.Value.Delete(true);
    }

    // A file that goes away or grows meanwhile is a build at work.
    private static bool TryCopy(string folder, string copy)
    {
        try
        {
            Directory.CreateDirectory(copy);
            foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            {
                var target = Path.Combine(copy, Path.GetRelativePath(folder, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }
            return FolderHash.Of(folder) == FolderHash.Of(copy);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }
}
