namespace PluginHost.Catalog.Install;

/// <summary>Which names a file in a package may have.</summary>
internal static class PackagePath
{
    private const int LongestPath = 240;

    /// <summary>Why the name is refused, or null. It must mean the same file, inside the folder, on every system.</summary>
    public static string? Problem(string name)
    {
        if (name.Length is 0 or > LongestPath) return $"is empty or longer than {LongestPath} characters";
        if (name.StartsWith('/')) return "is an absolute path";
        if (name.AsSpan().ContainsAny('\\', ':')) return "has a backslash or a colon";
        if (name.Any(char.IsControl)) return "has a control character";
        foreach (var part in name.Split('/'))
        {
            if (part == "..") return "leads out of the folder";
            if (part.Length == 0 || part == "." || part[^1] is '.' or ' ') return "has an empty part, or one that ends in a dot or a space";
        }
        return null;
    }
}
