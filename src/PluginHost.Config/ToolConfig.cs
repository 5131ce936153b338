namespace PluginHost.Config;

/// <summary>A tool plugin that the host file lists.</summary>
/// <param name="Use">The plugin with its settings.</param>
/// <param name="Approved">Whether its tools may be called though they write.</param>
public sealed record ToolUse(PluginUse Use, bool Approved);

/// <summary>An MCP server whose tools are taken in: a program that is started, or an address.</summary>
/// <param name="Name">What its tools are called behind: <c>files__read</c>.</param>
/// <param name="Command">The program; null: it is reached by <paramref name="Url"/>.</param>
/// <param name="Arguments">The program's arguments.</param>
/// <param name="Url">Where it listens; null: it is a program.</param>
/// <param name="Approved">Whether its tools may be called though they write.</param>
public sealed record McpServerConfig(string Name, string? Command, IReadOnlyList<string> Arguments, Uri? Url, bool Approved);

/// <summary>A model that calls tools until it has an answer, served under a name of its own.</summary>
/// <param name="Id">Its name in requests.</param>
/// <param name="Model">The served model that it thinks with.</param>
public sealed record AgentConfig(string Id, string Model)
{
    /// <summary>The tools that it may call, by name; a trailing <c>*</c> matches any ending.</summary>
    public IReadOnlyList<string> Tools { get; init; } = ["*"];

    /// <summary>What it is told before each conversation; null: nothing.</summary>
    public string? Instructions { get; init; }

    /// <summary>Answers of the model to one request, those that call tools included.</summary>
    public int MaxSteps { get; init; } = 8;

    /// <summary>Tokens of prompts and answers together, over all steps; 0: as many as it takes.</summary>
    public int MaxTokens { get; init; }

    /// <summary>How long a request may take.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromMinutes(2);
}
