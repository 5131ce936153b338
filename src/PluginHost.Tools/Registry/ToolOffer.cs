using Microsoft.Extensions.AI;

namespace PluginHost.Tools.Registry;

/// <summary>A function that a source brings into the registry.</summary>
/// <param name="Name">The name that it is called by: letters, digits, <c>_</c> and <c>-</c>, 64 at most.</param>
/// <param name="Function">What is called; its own name is not looked at.</param>
public sealed record ToolOffer(string Name, AIFunction Function)
{
    /// <summary>Whether calls change something outside.</summary>
    public bool Writes { get; init; }

    /// <summary>Whether the server's owner has approved it beforehand, in the host file.</summary>
    public bool Approved { get; init; }

    /// <summary>What calls are held to; null: the registry's own.</summary>
    public ToolLimits? Limits { get; init; }

    /// <summary>The name of a source's tool: behind the source's own, unless it is that.</summary>
    public static string Qualified(string source, string tool) => source == tool ? tool : $"{source}__{tool}";
}
