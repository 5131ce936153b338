using PluginHost.Sdk;

namespace Tool.Files;

/// <summary>A folder out of which no path leads.</summary>
internal sealed class ReadOnlyFolder(string root)
{
    private const int MostLinks = 40;

    private readonly string root = Resolve(Path.TrimEndingDirectorySeparator(root));

    /// <summary>Where a path leads, links included.</summary>
    /// <exception cref="UserErrorException">Out of the folder.</exception>
    public string Find(string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal)) throw new UserErrorException("a path has no zero characters");
        var found = Resolve(Path.GetFullPath(Path.Combine(root, path)));
        return found == root || found.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal) ? found : throw new UserErrorException($"'{path}' leads out of the folder; paths are relative to it");
    }

    // Step by step from the top, since any step may be a link; a link's target is walked as well.
    private static string Resolve(string path)
    {
        var links = 0;
        var top = Path.GetPathRoot(path)!;
        var steps = new Stack<string>(path[top.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse());
        var current = top;
        while (steps.TryPop(out var step))
        {
            var next = Path.Combine(current, step);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                current = next;
                continue;
            }
            if (++links > MostLinks) throw new UserErrorException("the path goes through too many links");
            var full = Path.GetFullPath(target, current);
            foreach (var part in full[Path.GetPathRoot(full)!.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse()) steps.Push(part);
            current = Path.GetPathRoot(full)!;
        }
        return current;
    }
}
