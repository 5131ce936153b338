using System.Collections.Immutable;
using System.Text.Json;
using PluginHost.Config;
using PluginHost.Config.Json;

namespace PluginHost.Tools.Registry;

/// <summary>
/// What outlives a restart, in one file that is the old one or the new one whatever happens: the registrations as they were sent, and the fingerprints of tools that were approved. Safe for concurrent use.
/// </summary>
public sealed class ToolStore
{
    private readonly Lock gate = new();
    private readonly string file;
    private Content content;

    /// <param name="file">The file; it need not exist yet.</param>
    /// <exception cref="ConfigException">It is damaged.</exception>
    public ToolStore(string file)
    {
        this.file = file;
        content = Read();
    }

    /// <summary>What has been registered, by name: the bodies of the requests.</summary>
    public IReadOnlyDictionary<string, string> Registrations => content.Registrations;

    /// <summary>The fingerprint under which a tool was approved; null: it never was.</summary>
    public string? Approval(string tool) => content.Approvals.GetValueOrDefault(tool);

    /// <summary>Keeps a registration.</summary>
    /// <exception cref="IOException">The file cannot be written; nothing has changed.</exception>
    public void Keep(string name, string registration) => Change(old => old with { Registrations = old.Registrations.SetItem(name, registration) });

    /// <summary>Lets a registration go, and the approvals of its tools.</summary>
    /// <exception cref="IOException">The file cannot be written; nothing has changed.</exception>
    public void Forget(string name, IEnumerable<string> tools) => Change(old => old with { Registrations = old.Registrations.Remove(name), Approvals = old.Approvals.RemoveRange(tools) });

    /// <summary>Notes approvals: fingerprints by tool.</summary>
    /// <exception cref="IOException">The file cannot be written; nothing has changed.</exception>
    public void Approve(IReadOnlyDictionary<string, string> fingerprints)
    {
        if (fingerprints.Any(item => Approval(item.Key) != item.Value)) Change(old => old with { Approvals = old.Approvals.SetItems(fingerprints) });
    }

    private void Change(Func<Content, Content> change)
    {
        lock (gate)
        {
            var changed = change(content);
            AtomicFile.Write(file, stream => Write(stream, changed));
            content = changed;
        }
    }

    private static void Write(Stream stream, Content content)
    {
        using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        writer.WriteStartObject();
        writer.WriteStartObject("registrations");
        foreach (var (name, registration) in content.Registrations)
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(registration);
        }
        writer.WriteEndObject();
        writer.WriteStartObject("approvals");
        foreach (var (tool, fingerprint) in content.Approvals) writer.WriteString(tool, fingerprint);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private Content Read()
    {
        if (!File.Exists(file)) return new Content(ImmutableSortedDictionary<string, string>.Empty, ImmutableSortedDictionary<string, string>.Empty);
        var errors = new List<ConfigError>();
        var reader = new JsonObjectReader(JsonTreeReader.Read(File.ReadAllBytes(file), Path.GetFileName(file)), "a file of tools", errors);
        var read = new Content(
            reader.Members("registrations").ToImmutableSortedDictionary(member => member.Name, member => member.Value.ToJsonString()),
            reader.Members("approvals").ToImmutableSortedDictionary(member => member.Name, member => member.Value.Text));
        reader.End();
        return errors.Count == 0 ? read : throw new ConfigException(errors);
    }

    private sealed record Content(ImmutableSortedDictionary<string, string> Registrations, ImmutableSortedDictionary<string, string> Approvals);
}
