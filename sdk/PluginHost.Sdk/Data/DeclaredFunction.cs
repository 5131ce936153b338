using System.Text.Json;
using Microsoft.Extensions.AI;

namespace PluginHost.Sdk;

/// <summary>A function that can be called by name, without the code of it: what a model is told.</summary>
/// <param name="name">Its name: letters, digits, <c>_</c> and <c>-</c>.</param>
/// <param name="description">What it does.</param>
/// <param name="parameters">A JSON Schema of its arguments, an object; keep a clone, not a part of a document that is disposed.</param>
public sealed class DeclaredFunction(string name, string description, JsonElement parameters) : AIFunctionDeclaration
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override string Description => description;

    /// <inheritdoc/>
    public override JsonElement JsonSchema => parameters;
}
