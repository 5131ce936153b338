using System.Text.Encodings.Web;
using System.Text.Json;
using NuGet.Packaging;
using NuGet.Versioning;
using PluginHost.Config;
using PluginHost.Config.Json;

namespace PluginHost.Catalog.Install;

/// <summary>
/// The lock file of a store: which version of which package is active, where it came from, and the hash of every file of it. It is
/// written last and whole: a package that it does not name is not installed.
/// </summary>
public sealed record PluginLock(IReadOnlyList<LockedPackage> Packages)
{
    private const int Format = 1;

    public static PluginLock Empty { get; } = new([]);

    public LockedPackage? Find(string id) => Packages.FirstOrDefault(package => package.Is(id));

    /// <summary>A lock with a package in place of the one of its id; what was active becomes its previous version.</summary>
    public PluginLock With(LockedPackage package)
    {
        var before = Find(package.Id);
        var previous = before is null ? null : before.Version == package.Version ? before.Previous : before with { Previous = null };
        return new PluginLock([.. Without(package.Id).Packages.Append(package with { Previous = previous }).OrderBy(item => item.Id, StringComparer.OrdinalIgnoreCase)]);
    }

    public PluginLock Without(string id) => new([.. Packages.Where(package => !package.Is(id))]);

    /// <summary>Reads a lock file; a file that is not there is an empty lock.</summary>
    /// <exception cref="ConfigException">It is damaged; all that is wrong with it.</exception>
    public static PluginLock Read(string path)
    {
        byte[] text;
        try
        {
            text = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return Empty;
        }
        var errors = new List<ConfigError>();
        var reader = new JsonObjectReader(JsonTreeReader.Read(text, path), "a lock file", errors);
        if (reader.Integer("format", 0, 0, int.MaxValue) is var format and not Format)
            errors.Add(new ConfigError(reader.Location, $"a lock file of format {format}; this host knows format {Format}"));
        var packages = (reader.Items("packages") ?? []).Select(item => Package(item, errors, previous: false)).ToList();
        reader.End();
        foreach (var twin in packages.GroupBy(package => package.Id, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
            errors.Add(new ConfigError(reader.Location, $"the package {twin.Key} is listed twice"));
        return errors.Count == 0 ? new PluginLock(packages) : throw new ConfigException(errors);
    }

    /// <summary>Writes the lock file: the old one or the new one, whole, whatever happens.</summary>
    public void Write(string path) => AtomicFile.Write(path, stream =>
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteNumber("format", Format);
        json.WriteStartArray("packages");
        foreach (var package in Packages) Write(json, package);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter json, LockedPackage package)
    {
        json.WriteStartObject();
        json.WriteString("id", package.Id);
        json.WriteString("version", package.Version);
        json.WriteString("source", package.Source);
        json.WriteString("sha512", package.Sha512);
        json.WriteString("assembly", package.Assembly);
        json.WriteString("sdk", package.Sdk);
        Write(json, "dependencies", package.Dependencies);
        Write(json, "files", package.Files);
        if (package.Previous is { } previous)
        {
            json.WritePropertyName("previous");
            Write(json, previous);
        }
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string> pairs)
    {
        json.WriteStartObject(name);
        foreach (var (key, value) in pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal)) json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static LockedPackage Package(JsonElementNode node, List<ConfigError> errors, bool previous)
    {
        var reader = new JsonObjectReader(node, "a locked package", errors);
        var package = new LockedPackage
        {
            Id = Checked("id", PackageIdValidator.IsValidPackageId, "a package id"),
            Version = Checked("version", text => NuGetVersion.TryParse(text, out var version) && version.ToNormalizedString() == text, "a normalised version"),
            Source = Required("source"),
            Sha512 = Checked("sha512", IsHash, "a SHA-512 in base64"),
            Assembly = Checked("assembly", text => PackagePath.Problem(text) is null && !text.Contains('/', StringComparison.Ordinal), "a file name"),
            Sdk = Checked("sdk", text => VersionRange.TryParse(text, out _), "a version range"),
            Dependencies = Pairs("dependencies", PackageIdValidator.IsValidPackageId, text => VersionRange.TryParse(text, out _), "a package id with a version range"),
            Files = Pairs("files", path => PackagePath.Problem(path) is null, IsHash, "a relative path with a SHA-512"),
            Previous = !previous && reader.Value("previous") is { } before ? Package(before, errors, previous: true) : null,
        };
        reader.End();
        return package;

        string Required(string name)
        {
            var value = reader.Required(name);
            return value is null ? "" : reader.Text(name) ?? "";
        }

        string Checked(string name, Func<string, bool> valid, string rule)
        {
            var text = Required(name);
            if (text.Length > 0 && !valid(text)) errors.Add(new ConfigError(node.Find(name)!.Location, $"'{text}' is not {rule}"));
            return text;
        }

        Dictionary<string, string> Pairs(string name, Func<string, bool> key, Func<string, bool> value, string rule)
        {
            var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var member in reader.Members(name))
            {
                if (!key(member.Name) || member.Value.Kind != JsonKind.String || !value(member.Value.Text)) errors.Add(new ConfigError(member.NameLocation, $"'{member.Name}' is not {rule}"));
                pairs[member.Name] = member.Value.Text;
            }
            return pairs;
        }
    }

    private static bool IsHash(string text)
    {
        Span<byte> hash = stackalloc byte[64];
        return text.Length == 88 && Convert.TryFromBase64String(text, hash, out var length) && length == hash.Length;
    }
}
