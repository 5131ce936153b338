namespace PluginHost.Config;

/// <summary>How <c>pluginhost serve</c> listens and what it allows; <c>server</c> in the host file.</summary>
public sealed record ServerConfig
{
    /// <summary>Where it listens: <c>http://127.0.0.1:8080</c>.</summary>
    public IReadOnlyList<string> Urls { get; init; } = ["http://127.0.0.1:8080"];

    /// <summary>The file with the hashes of API keys; absolute.</summary>
    public required string Keys { get; init; }

    /// <summary>The file with training jobs; absolute.</summary>
    public required string Jobs { get; init; }

    /// <summary>The folder whose project files can be asked for as training jobs; absolute.</summary>
    public required string Projects { get; init; }

    /// <summary>How much each model answers at once: <c>slots</c>, <c>queue</c>, <c>contextLength</c>, <c>keptMedia</c> and <c>threads</c>.</summary>
    public EngineConfig Engine { get; init; } = new();

    /// <summary>The plugin of kind <c>constraint</c> that holds answers to a JSON object.</summary>
    public string JsonConstraint { get; init; } = "constraint.json-object";

    /// <summary>The plugin of kind <c>constraint</c> that holds calls to the functions that are offered.</summary>
    public string ToolConstraint { get; init; } = "constraint.tool-calls";

    /// <summary>Most bytes of a request's body, when it is unpacked.</summary>
    public long MaxBodyBytes { get; init; } = 20 << 20;

    /// <summary>How long a request may take.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long a caller may keep the server waiting: for the headers, for a body that comes at less than 240 bytes a second, or for an event of a stream to be read. At least
    /// two seconds.
    /// </summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long open requests may take to end when the server stops.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Requests that a key may send in a minute; 0: as many as it likes.</summary>
    public int RequestsPerMinute { get; init; }

    /// <summary>Hosts from which media may be fetched by address: <c>name</c>, at its scheme's own port, or <c>name:port</c>. Addresses that are not of the public internet are never fetched from.</summary>
    public IReadOnlyList<string> MediaHosts { get; init; } = [];

    /// <summary>Hosts that tools may reach though they are not of the public internet: <c>name</c>, at its scheme's own port, or <c>name:port</c>.</summary>
    public IReadOnlyList<string> ToolHosts { get; init; } = [];

    /// <summary>The file with registered tools and approvals; absolute.</summary>
    public required string ToolFile { get; init; }

    /// <summary>Plugins whose functions can be called.</summary>
    public IReadOnlyList<ToolUse> Tools { get; init; } = [];

    /// <summary>MCP servers whose tools can be called.</summary>
    public IReadOnlyList<McpServerConfig> McpServers { get; init; } = [];

    /// <summary>Models that call tools.</summary>
    public IReadOnlyList<AgentConfig> Agents { get; init; } = [];

    /// <summary>Models that answer elsewhere, and are served under a name of this server's.</summary>
    public IReadOnlyList<RemoteModelConfig> Remotes { get; init; } = [];

    /// <summary>The retrieval file whose towers, index, retriever and reranker serve documents; absolute. Null: documents are searched by their words.</summary>
    public string? Retrieval { get; init; }

    /// <summary>The certificate of https, as PEM files; null: none.</summary>
    public ServerCertificate? Certificate { get; init; }

    /// <summary>Where traces, metrics and logs go by OTLP: <c>http://localhost:4317</c>; null: nowhere.</summary>
    public string? Otlp { get; init; }
}

/// <summary>A certificate with its key, as PEM files; absolute paths.</summary>
public sealed record ServerCertificate(string Path, string Key);

/// <summary>A model behind another server that speaks OpenAI's API, as Ollama, vLLM and llama.cpp do.</summary>
/// <param name="Id">Its name here.</param>
/// <param name="Url">Where its API begins: <c>http://localhost:11434/v1</c>.</param>
/// <param name="Model">Its name there.</param>
/// <param name="KeyVariable">The environment variable with its key; null: it asks for none.</param>
public sealed record RemoteModelConfig(string Id, Uri Url, string Model, string? KeyVariable);
