using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Sdk;

namespace PluginHost.Serving.Keys;

/// <summary>
/// The keys that callers show, hashed at rest in a file. A key is 256 random bits, so a plain SHA-256 of it can neither be guessed nor looked up: slow hashes protect what people
/// think up. Safe for concurrent use.
/// </summary>
public sealed class ApiKeys
{
    private const string Prefix = "ph-";

    private readonly string file;
    private volatile IReadOnlyList<ApiKey> keys;

    /// <param name="file">The file; it need not exist yet.</param>
    /// <exception cref="ConfigException">It is damaged.</exception>
    public ApiKeys(string file)
    {
        this.file = file;
        keys = Read();
    }

    /// <summary>All keys.</summary>
    public IReadOnlyList<ApiKey> All => keys;

    /// <summary>Reads the file again.</summary>
    /// <exception cref="ConfigException">It is damaged; the keys stay as they were.</exception>
    public void Reload() => keys = Read();

    /// <summary>Makes a key.</summary>
    /// <param name="name">For whom; no two keys share one.</param>
    /// <param name="admin">Whether it opens the admin routes too.</param>
    /// <returns>The key: nobody can say it again.</returns>
    /// <exception cref="UserErrorException">There is one of that name.</exception>
    public string Create(string name, bool admin)
    {
        Reload();
        if (keys.Any(key => key.Name == name)) throw new UserErrorException($"there is a key '{name}' already in {file}; revoke it, or choose another name");
        var secret = Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        Write([.. keys, new ApiKey(name, Hash(secret), admin)]);
        return secret;
    }

    /// <summary>Takes a key out.</summary>
    /// <exception cref="UserErrorException">There is none of that name.</exception>
    public void Revoke(string name)
    {
        Reload();
        if (keys.All(key => key.Name != name)) throw new UserErrorException($"there is no key '{name}' in {file}{NearestName.Suggestion(name, keys.Select(key => key.Name))}");
        Write([.. keys.Where(key => key.Name != name)]);
    }

    /// <summary>Whose a key is; null: nobody's. It takes as long for a right key as for a wrong one.</summary>
    public ApiKey? Find(string secret)
    {
        var hash = Hash(secret);
        ApiKey? found = null;
        foreach (var key in keys)
            if (CryptographicOperations.FixedTimeEquals(key.Sha256, hash)) found = key;
        return found;
    }

    private static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    private void Write(IReadOnlyList<ApiKey> next)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var json = new JsonObject { ["keys"] = new JsonArray([.. next.Select(key => (JsonNode)new JsonObject { ["name"] = key.Name, ["sha256"] = Convert.ToHexStringLower(key.Sha256), ["admin"] = key.Admin })]) };
        AtomicFile.WriteText(file, json.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        keys = next;
    }

    private IReadOnlyList<ApiKey> Read()
    {
        if (!File.Exists(file)) return [];
        var errors = new List<ConfigError>();
        var reader = new JsonObjectReader(JsonTreeReader.Read(File.ReadAllBytes(file), Path.GetFileName(file)), "a keys file", errors);
        var read = (reader.Items("keys") ?? []).Select(node => Read(node, errors)).OfType<ApiKey>().ToList();
        reader.End();
        return errors.Count == 0 ? read : throw new ConfigException(errors);
    }

    private static ApiKey? Read(JsonElementNode node, List<ConfigError> errors)
    {
        var reader = new JsonObjectReader(node, "a key", errors);
        var name = reader.RequiredText("name");
        var hash = reader.RequiredText("sha256");
        var admin = reader.Flag("admin", false);
        reader.End();
        if (name is null || hash is null) return null;
        if (hash.Length == 2 * SHA256.HashSizeInBytes && hash.All(char.IsAsciiHexDigit)) return new ApiKey(name, Convert.FromHexString(hash), admin);
        errors.Add(new ConfigError(node.Find("sha256")!.Location, "'sha256' is 64 hexadecimal digits; keys are made by 'pluginhost keys create'"));
        return null;
    }
}

/// <summary>A key.</summary>
/// <param name="Name">For whom it is.</param>
/// <param name="Sha256">Its hash.</param>
/// <param name="Admin">Whether it opens the admin routes.</param>
public sealed record ApiKey(string Name, byte[] Sha256, bool Admin);
