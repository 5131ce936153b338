using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>Reads <c>server</c> of a host file.</summary>
internal static class ServerReader
{
    private const string DefaultKeys = "{config}/keys.json";
    private const string DefaultProjects = "{config}";

    public static ServerConfig Read(JsonElementNode? node, Func<string, string> folder, string artifacts, List<ConfigError> errors)
    {
        var none = new ServerConfig { Keys = folder(DefaultKeys), Jobs = Path.Combine(artifacts, "jobs.db"), ToolFile = Path.Combine(artifacts, "tools.json"), Projects = folder(DefaultProjects) };
        if (node is null) return none;
        var reader = new JsonObjectReader(node, "'server'", errors);
        var server = none with
        {
            Urls = reader.Texts("urls", none.Urls),
            Keys = folder(reader.Text("keys") ?? DefaultKeys),
            Jobs = reader.Text("jobs") is { } jobs ? folder(jobs) : none.Jobs,
            Projects = folder(reader.Text("projects") ?? DefaultProjects),
            Engine = new EngineConfig(
                (int)reader.Integer("slots", none.Engine.Slots, 1, 1024), (int)reader.Integer("queue", none.Engine.Queue, 1, 100_000),
                reader.Value("contextLength") is null ? null : (int)reader.Integer("contextLength", 1, 1, 1 << 24), (int)reader.Integer("keptMedia", none.Engine.KeptMedia, 0, 100_000),
                (int)reader.Integer("threads", none.Engine.Threads, 0, 1024)),
            JsonConstraint = reader.Text("jsonConstraint") ?? none.JsonConstraint,
            ToolConstraint = reader.Text("toolConstraint") ?? none.ToolConstraint,
            MaxBodyBytes = reader.Integer("maxBodyMegabytes", none.MaxBodyBytes >> 20, 1, 1024) << 20,
            RequestTimeout = reader.Duration("requestTimeout", none.RequestTimeout),
            StallTimeout = reader.Duration("stallTimeout", none.StallTimeout),
            DrainTimeout = reader.Duration("drainTimeout", none.DrainTimeout),
            RequestsPerMinute = (int)reader.Integer("requestsPerMinute", none.RequestsPerMinute, 0, 1_000_000),
            MediaHosts = reader.Texts("mediaHosts", none.MediaHosts),
            ToolHosts = reader.Texts("toolHosts", none.ToolHosts),
            ToolFile = reader.Text("toolFile") is { } tools ? folder(tools) : none.ToolFile,
            Tools = ToolConfigReader.Tools(reader, errors),
            McpServers = ToolConfigReader.McpServers(reader, errors),
            Agents = ToolConfigReader.Agents(reader, errors),
            Remotes = [.. reader.Members("remotes").Select(member => Remote(member, errors)).OfType<RemoteModelConfig>()],
            Retrieval = reader.Text("retrieval") is { } retrieval ? folder(retrieval) : null,
            Certificate = reader.Value("certificate") is { } certificate ? Certificate(new JsonObjectReader(certificate, "'certificate'", errors), folder) : null,
            Otlp = reader.Text("otlp"),
        };
        foreach (var url in reader.Items("urls") ?? [])
            if (!Uri.TryCreate(url.Text, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https"))
                errors.Add(new ConfigError(url.Location, $"'{url.Text}' is no address to listen at, such as http://127.0.0.1:8080"));
            else if (parsed.Scheme == "https" && server.Certificate is null)
                errors.Add(new ConfigError(url.Location, $"{url.Text} needs 'certificate', with the PEM files 'path' and 'key'"));
        foreach (var host in (reader.Items("mediaHosts") ?? []).Where(host => !IsHost(host.Text)))
            errors.Add(new ConfigError(host.Location, $"'{host.Text}' is no host to fetch media from, such as pictures.example or pictures.example:8443"));
        foreach (var host in (reader.Items("toolHosts") ?? []).Where(host => !IsHost(host.Text)))
            errors.Add(new ConfigError(host.Location, $"'{host.Text}' is no host of tools, such as tools.example or 127.0.0.1:8090"));
        if (server.StallTimeout < TimeSpan.FromSeconds(2)) errors.Add(new ConfigError(reader.Value("stallTimeout")!.Location, "'stallTimeout' is 2s at the least: the server looks every second"));
        reader.End();
        return server;
    }

    // name or name:port
    private static bool IsHost(string text) =>
        text.Split(':') is [var name, .. var port] && Uri.CheckHostName(name) is UriHostNameType.Dns or UriHostNameType.IPv4 && port is [] or [_] && port.All(digits => ushort.TryParse(digits, out _));

    private static RemoteModelConfig? Remote(JsonMember member, List<ConfigError> errors)
    {
        var reader = new JsonObjectReader(member.Value, "a remote model", errors);
        var url = reader.RequiredText("url");
        var model = reader.Text("model") ?? member.Name;
        var key = reader.Text("keyVariable");
        reader.End();
        if (url is null) return null;
        if (Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is ("http" or "https")) return new RemoteModelConfig(member.Name, address, model, key);
        errors.Add(new ConfigError(member.Value.Find("url")!.Location, $"'{url}' is no address of an API, such as http://localhost:11434/v1"));
        return null;
    }

    private static ServerCertificate? Certificate(JsonObjectReader reader, Func<string, string> folder)
    {
        var (path, key) = (reader.Required("path")?.Text, reader.Required("key")?.Text);
        reader.End();
        return path is null || key is null ? null : new ServerCertificate(folder(path), folder(key));
    }
}
