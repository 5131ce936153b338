namespace PluginHost.Config;

/// <summary>Reads the bytes of a config file, and says in the user's terms why it cannot.</summary>
internal static class ConfigText
{
    public static byte[] Read(string path, string what)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigException([new ConfigError(null, $"{path}: there is no such {what}{Neighbour(path)}")]);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException([new ConfigError(null, $"{path}: this {what} cannot be read: {error.Message}")]);
        }
    }

    private static string Neighbour(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder)) return $"; the folder '{folder}' does not exist either";
        var names = Directory.EnumerateFiles(folder, "*.json").Select(file => Path.GetFileName(file)!);
        return NearestName.Of(Path.GetFileName(path), names) is { } nearest ? $"; did you mean '{nearest}'?" : "";
    }
}
