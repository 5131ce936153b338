using PluginHost.Config.Json;
using PluginHost.Sdk;

namespace PluginHost.Config;

/// <summary>
/// <c>"from"</c> of a graph node and of the tokenizer: the run or imported model that its weights and its settings come from. Settings that the project gives
/// itself win. The tree that results stands alone: where the model lies is written out in full.
/// </summary>
internal sealed class ModelReferences(string folder, Func<string, string, string> find, List<ConfigError> errors)
{
    /// <summary>The project with all references resolved.</summary>
    public JsonElementNode Resolve(JsonElementNode root)
    {
        if (root.Find("graph") is { Kind: JsonKind.Object } graph)
            root = With(root, "graph", JsonElementNode.Object(graph.Location, [.. graph.Members.Select(member => member with { Value = Node(member) })]));
        if (root.Find("data") is { Kind: JsonKind.Object } data && data.Find("tokenizer") is { Kind: JsonKind.Object } tokenizer && tokenizer.Find("from") is { Kind: JsonKind.String } from)
            root = With(root, "data", With(data, "tokenizer", Tokenizer(tokenizer, from)));
        return root;
    }

    /// <summary>The node of another project that a node takes its weights from: the one of its name, or the only one of its plugin.</summary>
    internal static JsonMember? Origin(JsonElementNode project, string name, string? plugin)
    {
        var nodes = project.Find("graph")?.Members ?? [];
        var same = nodes.FirstOrDefault(node => node.Name == name && (plugin is null || PluginOf(node.Value) == plugin));
        if (same is not null) return same;
        var alike = nodes.Where(node => plugin is not null && PluginOf(node.Value) == plugin).ToArray();
        return alike.Length == 1 ? alike[0] : null;
    }

    private JsonElementNode Node(JsonMember member)
    {
        if (member.Value.Find("from") is not { Kind: JsonKind.String } from || Find(from) is not { } path) return member.Value;
        var project = Read(path, from);
        if (project is null) return member.Value;
        if (Origin(project, member.Name, PluginOf(member.Value)) is not { } origin)
        {
            var others = (project.Find("graph")?.Members ?? []).Select(node => $"'{node.Name}' ({PluginOf(node.Value)})");
            errors.Add(new ConfigError(from.Location, $"'from' of '{member.Name}': the model '{from.Text}' has no node of that name or of {PluginOf(member.Value) ?? "its plugin"}; it has {string.Join(", ", others)}"));
            return member.Value;
        }
        return Inherit(member.Value, origin.Value, from, path);
    }

    private JsonElementNode Tokenizer(JsonElementNode tokenizer, JsonElementNode from)
    {
        if (Find(from) is not { } path) return tokenizer;
        if (!File.Exists(Path.Combine(path, "tokenizer.json")))
        {
            errors.Add(new ConfigError(from.Location, $"'from' of the tokenizer: there is no tokenizer.json in {path}"));
            return tokenizer;
        }
        var former = File.Exists(Path.Combine(path, "project.json")) ? Read(path, from)?.Find("data")?.Find("tokenizer") : null;
        return Inherit(tokenizer, former, from, path);
    }

    private static JsonElementNode Inherit(JsonElementNode own, JsonElementNode? former, JsonElementNode from, string path)
    {
        own = With(own, "from", JsonElementNode.String(from.Location, path));
        if (former is null || (PluginOf(own) is { } plugin && plugin != PluginOf(former))) return own;
        if (PluginOf(own) is null) own = With(own, "use", JsonElementNode.String(from.Location, PluginOf(former)!));
        if (former.Find("settings") is not { Kind: JsonKind.Object } settings) return own;
        foreach (var setting in own.Find("settings")?.Members ?? []) settings = With(settings, setting.Name, setting.Value);
        return With(own, "settings", settings);
    }

    private string? Find(JsonElementNode from)
    {
        try
        {
            return find(from.Text, folder);
        }
        catch (UserErrorException error)
        {
            errors.Add(new ConfigError(from.Location, $"'from': {error.Message}"));
            return null;
        }
    }

    private JsonElementNode? Read(string path, JsonElementNode from)
    {
        var file = Path.Combine(path, "project.json");
        if (File.Exists(file)) return JsonTreeReader.Read(ConfigText.Read(file, "project file"), Path.GetFileName(file));
        errors.Add(new ConfigError(from.Location, $"'from': {path} is no run and no imported model (it has no project.json); 'pluginhost import {from.Text}' makes one of a published model's folder"));
        return null;
    }

    private static string? PluginOf(JsonElementNode node) => node.Kind == JsonKind.String ? node.Text : node.Find("use") is { Kind: JsonKind.String } use ? use.Text : null;

    private static JsonElementNode With(JsonElementNode node, string name, JsonElementNode value)
    {
        List<JsonMember> members = [.. node.Members];
        var index = members.FindIndex(member => member.Name == name);
        var member = new JsonMember(name, index < 0 ? value.Location : members[index].NameLocation, value);
        if (index < 0) members.Add(member);
        else members[index] = member;
        return JsonElementNode.Object(node.Location, members);
    }
}
