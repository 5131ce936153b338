using System.Text.Json;
using PluginHost.Catalog;
using PluginHost.Catalog.Install;
using PluginHost.Config;
using PluginHost.Live;
using PluginHost.Sdk;

namespace PluginHost.Commands;

/// <summary><c>pluginhost plugins list|inspect</c>: what is installed, from metadata alone.</summary>
public static class PluginsCommand
{
    private const int ShortHash = 12;

    /// <summary>Lists all plugins, and below them the folders that cannot be used.</summary>
    /// <returns>The exit code: 0.</returns>
    public static int List(string? hostFile, bool json, TextWriter output)
    {
        using var catalog = PluginCatalog.Discover(HostFile.Read(hostFile));
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(new
            {
                plugins = catalog.Installed.All.Select(plugin => new
                {
                    id = plugin.Id,
                    version = plugin.Version,
                    kind = plugin.Kind,
                    package = plugin.Package?.Id,
                    hash = plugin.Hash,
                    summary = plugin.Summary,
                    folder = plugin.Folder,
                }),
                packages = Packages(catalog).Select(item => new { id = item.Package.Id, version = item.Package.Version, active = item.Active, source = item.Package.Source, sdk = item.Package.Sdk, sha512 = item.Package.Sha512 }),
                faults = catalog.Installed.Faults.Select(fault => new { folder = fault.Folder, message = fault.Message }),
            }, PlainJson.Options));
            return 0;
        }
        var table = new TextTable("id", "version", "kind", "from", "hash", "summary");
        foreach (var plugin in catalog.Installed.All)
            table.Add(plugin.Id, plugin.Version, plugin.Kind, plugin.Package?.Id ?? "folder", plugin.Hash[..ShortHash], plugin.Summary);
        table.Write(output);
        if (catalog.Packages.Count > 0)
        {
            output.WriteLine();
            var packages = new TextTable("package", "version", "state", "source", "SDK");
            foreach (var (package, active) in Packages(catalog))
                packages.Add(package.Id, package.Version, active ? "active" : "previous", package.Source, package.Sdk);
            packages.Write(output);
        }
        foreach (var fault in catalog.Installed.Faults) output.WriteLine($"cannot be used: {fault.Folder}: {fault.Message}");
        return 0;
    }

    /// <summary>Shows one plugin.</summary>
    /// <returns>The exit code: 0.</returns>
    /// <exception cref="UserErrorException">There is no such plugin.</exception>
    public static int Inspect(string id, string? hostFile, bool json, TextWriter output)
    {
        using var catalog = PluginCatalog.Discover(HostFile.Read(hostFile));
        var plugin = catalog.Find(id)
            ?? throw new UserErrorException($"no plugin '{id}' is installed{NearestName.Suggestion(id, catalog.Installed.All.Select(known => known.Id))}");
        if (json) output.WriteLine(ToJson(plugin));
        else Print(plugin, output);
        return 0;
    }

    // Each active package, and below it the version that a rollback returns to.
    private static IEnumerable<(LockedPackage Package, bool Active)> Packages(PluginCatalog catalog) =>
        from item in catalog.Packages
        from version in new[] { item.Package, item.Package.Previous }
        where version is not null
        select (version, version == item.Package);

    private static void Print(PluginDescription plugin, TextWriter output)
    {
        output.WriteLine($"{plugin.Id} {plugin.Version}: {plugin.Summary}");
        output.WriteLine($"kind {plugin.Kind}, sha256 {plugin.Hash}");
        if (plugin.Package is { } package) output.WriteLine($"from the package {package}, installed from {package.Source}");
        output.WriteLine(plugin.AssemblyPath);
        output.WriteLine($"works with PluginHost.Sdk {plugin.SdkRange}");
        if (plugin.Requires.Count > 0) output.WriteLine($"requires {string.Join("; ", plugin.Requires)}");
        if (plugin.Accepts.Count > 0) output.WriteLine($"accepts {string.Join(' ', plugin.Accepts)}");
        output.WriteLine();
        var ports = new TextTable("port", "direction", "type");
        foreach (var port in plugin.Inputs) ports.Add(port.Name, port.Optional ? "in, optional" : "in", port.Type.Text);
        if (plugin.Variadic is { } any) ports.Add("(any name)", "in, any number", any.Type.Text);
        foreach (var port in plugin.Outputs) ports.Add(port.Name, "out", port.Type.Text);
        if (plugin.Inputs.Count + plugin.Outputs.Count > 0 || plugin.Variadic is not null)
        {
            ports.Write(output);
            output.WriteLine();
        }
        if (plugin.Options.Count == 0) output.WriteLine("no settings");
        var settings = new TextTable("setting", "type", "default", "range", "description");
        foreach (var option in plugin.Options) settings.Add(option.Name, OptionText.Type(option), OptionText.Default(option), OptionText.Range(option), OptionText.Description(option));
        if (plugin.Options.Count > 0) settings.Write(output);
        if (plugin.Options.Count > 0) output.WriteLine($"changed while a run goes on, a setting applies {LiveChange.OfSetting(plugin.Kind)}");
        foreach (var rule in plugin.Rules) output.WriteLine($"rule: {rule}");
    }

    private static string ToJson(PluginDescription plugin) => JsonSerializer.Serialize(new
    {
        id = plugin.Id,
        version = plugin.Version,
        kind = plugin.Kind,
        summary = plugin.Summary,
        hash = plugin.Hash,
        file = plugin.AssemblyPath,
        package = plugin.Package is null ? null : new { id = plugin.Package.Id, version = plugin.Package.Version, source = plugin.Package.Source },
        sdk = plugin.SdkRange,
        requires = plugin.Requires.Select(item => new { capability = item.Capability, setting = item.Option, optional = item.Optional }),
        accepts = plugin.Accepts,
        inputs = plugin.Inputs.Select(port => new { name = port.Name, type = port.Type.Text, optional = port.Optional }),
        anyInputs = plugin.Variadic?.Type.Text,
        outputs = plugin.Outputs.Select(port => new { name = port.Name, type = port.Type.Text }),
        settings = plugin.Options.Select(option => new
        {
            name = option.Name,
            type = OptionText.Type(option),
            nullable = option.Nullable,
            @default = option.Default,
            minimum = option.Minimum,
            maximum = option.Maximum,
            description = option.Description,
            applies = LiveChange.OfSetting(plugin.Kind),
        }),
        rules = plugin.Rules.Select(rule => rule.ToString()),
    }, PlainJson.Options);
}
