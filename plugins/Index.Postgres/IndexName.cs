using System.Text.RegularExpressions;
using PluginHost.Sdk;

namespace Index.Postgres;

/// <summary>
/// The schema of a folder's index. A file in the folder names it, so that an index goes where its folder goes, also to another machine, and a folder that is taken away and made again is an empty index.
/// </summary>
internal static partial class IndexName
{
    public const string File = "index.postgres";

    /// <exception cref="UserErrorException">The prefix is no name, or the file is damaged.</exception>
    public static string Of(string folder, string prefix)
    {
        if (!Prefixes().IsMatch(prefix)) throw new UserErrorException($"index.postgres: 'prefix' is a small letter and up to 39 small letters, digits and '_', not '{prefix}'");
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, File);
        if (!System.IO.File.Exists(file)) Make(file, $"{prefix}_{Guid.NewGuid().ToString("N")[..16]}");
        var name = System.IO.File.ReadAllText(file).Trim();
        return Names().IsMatch(name) ? name : throw new UserErrorException($"index.postgres: {file} names no schema: it is damaged; take the folder away, and build the index anew");
    }

    // The file is there whole or not at all, and the first of two processes makes it.
    private static void Make(string file, string name)
    {
        var draft = $"{file}.{Guid.NewGuid():N}";
        using (var stream = new FileStream(draft, FileMode.CreateNew))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(name + "\n"));
            stream.Flush(flushToDisk: true);
        }
        try
        {
            System.IO.File.Move(draft, file, overwrite: false);
        }
        catch (IOException) when (System.IO.File.Exists(file))
        {
            System.IO.File.Delete(draft);
        }
    }

    [GeneratedRegex("^[a-z][a-z0-9_]{0,39}$")]
    private static partial Regex Prefixes();

    [GeneratedRegex("^[a-z][a-z0-9_]{0,62}$")]
    private static partial Regex Names();
}
