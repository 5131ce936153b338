using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace PluginHost.Sdk;

/// <summary>Kind <c>tool</c>: functions that a model, a program or a person may call.</summary>
public interface IToolPlugin
{
    /// <summary>Makes the functions. Each is called by its name behind the plugin's: <c>list</c> of <c>tool.files</c> is <c>files__list</c>, and a name that is the plugin's own stands alone.</summary>
    /// <param name="context">The surroundings.</param>
    /// <exception cref="UserErrorException">The settings cannot work here.</exception>
    IReadOnlyList<ToolFunction> Open(ToolContext context);
}

/// <summary>
/// A function of a plugin's. The host checks arguments against <see cref="JsonSchema"/> and fills in its defaults before each call, holds calls to a deadline, cuts results that are too long, and asks the
/// server's owner before the first call of a function that writes. Calls come from several threads at once. A result is a text, a number, a truth value, a <see cref="JsonElement"/>, a
/// <see cref="System.Text.Json.Nodes.JsonNode"/> or null. A <see cref="UserErrorException"/> tells the caller what to do otherwise; anything else that is thrown is the plugin's failure.
/// </summary>
public abstract class ToolFunction : AIFunction
{
    /// <param name="name">Letters, digits, <c>_</c> and <c>-</c>.</param>
    /// <param name="description">What it does, for a model to choose by.</param>
    /// <param name="parameters">The arguments' JSON Schema, of type <c>object</c>.</param>
    /// <exception cref="JsonException">The schema is no JSON.</exception>
    protected ToolFunction(string name, string description, string parameters)
    {
        (Name, Description) = (name, description);
        using var schema = JsonDocument.Parse(parameters);
        JsonSchema = schema.RootElement.Clone();
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override string Description { get; }

    /// <inheritdoc/>
    public override JsonElement JsonSchema { get; }

    /// <summary>Whether a call changes something outside: a file, another service. Such calls are never repeated.</summary>
    public virtual bool Writes => false;

    /// <summary>An argument; null: it is not given.</summary>
    /// <param name="arguments">The call's.</param>
    /// <param name="name">Its name.</param>
    protected static JsonElement? Argument(AIFunctionArguments arguments, string name) =>
        arguments.TryGetValue(name, out var value) && value is JsonElement element && element.ValueKind != JsonValueKind.Null ? element : null;

    /// <summary>An argument that is a text; null: it is not given.</summary>
    /// <param name="arguments">The call's.</param>
    /// <param name="name">Its name.</param>
    protected static string? Text(AIFunctionArguments arguments, string name) => Argument(arguments, name)?.GetString();
}

/// <summary>All that a tool may know of its surroundings.</summary>
public sealed class ToolContext
{
    /// <summary>
    /// The only way out that a tool should take: it reaches the public internet and the hosts that the server's owner lists, follows no redirects and no proxies, and keeps no cookies. It is the host's, and
    /// not to be disposed.
    /// </summary>
    public required HttpClient Http { get; init; }

    /// <summary>Searches the server's documents; null: there are none here.</summary>
    public IPassageSearch? Documents { get; init; }

    /// <summary>Tells the time.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>For messages to the server's owner.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>The folder that the plugin was loaded from, for data files that it ships.</summary>
    public required string ContentFolder { get; init; }

    /// <summary>Paths in settings are relative to it: the host file's folder.</summary>
    public required string Folder { get; init; }
}
