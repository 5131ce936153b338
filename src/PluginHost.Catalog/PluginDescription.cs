using PluginHost.Catalog.Install;
using PluginHost.Catalog.Ports;

namespace PluginHost.Catalog;

/// <summary>All that the host knows of a plugin from its metadata alone.</summary>
public sealed record PluginDescription
{
    /// <summary>Kind and name: <c>fusion.mid</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The part of the id before the first dot.</summary>
    public required string Kind { get; init; }

    public required string Summary { get; init; }

    /// <summary>Whether its nodes can compute their layers twice to save memory.</summary>
    public bool Checkpoints { get; init; }

    public required string Version { get; init; }

    /// <summary>The versions of PluginHost.Sdk with which it works, as a NuGet range: <c>[0.2.0,1.0.0)</c>.</summary>
    public required string SdkRange { get; init; }

    /// <summary>What the host must supply, in attribute order.</summary>
    public IReadOnlyList<RequirementDescription> Requires { get; init; } = [];

    /// <summary>SHA-256 in hex over paths and contents of all files in the folder.</summary>
    public required string Hash { get; init; }

    /// <summary>The folder that it runs from.</summary>
    public required string Folder { get; init; }

    /// <summary>The folder that it was found in; a version taken in while the host runs works from a copy of that.</summary>
    public required string Origin { get; init; }

    /// <summary>The installed package that it belongs to; null for one in a plugin folder of the host file.</summary>
    public LockedPackage? Package { get; init; }

    public required string AssemblyPath { get; init; }

    /// <summary>Full name of the plugin class.</summary>
    public required string TypeName { get; init; }

    /// <summary>The settings, in the order of the options record.</summary>
    public required IReadOnlyList<OptionDescription> Options { get; init; }

    public required IReadOnlyList<MultipleOfRule> Rules { get; init; }

    /// <summary>Named inputs in attribute order.</summary>
    public required IReadOnlyList<PortDescription> Inputs { get; init; }

    /// <summary>The inputs that the config names, or null when there are none.</summary>
    public required PortDescription? Variadic { get; init; }

    public required IReadOnlyList<PortDescription> Outputs { get; init; }

    /// <summary>Formula of the number of trained parameters, or null.</summary>
    public Expression? Parameters { get; init; }

    /// <summary>Formula of the floats that a batch keeps for the backward pass, or null.</summary>
    public Expression? Activations { get; init; }

    /// <summary>What the tower that it builds exposes to tuning methods; null when it does not say.</summary>
    public TowerFormulas? Tower { get; init; }

    /// <summary>Extensions that a media decoder takes.</summary>
    public IReadOnlyList<string> Accepts { get; init; } = [];

    /// <summary>The limits of the process of its own in which the host file wants it; null: it runs in the host's.</summary>
    public Config.IsolationLimits? Isolation { get; init; }

    /// <summary>Names of the contract assemblies of other packages that it refers to.</summary>
    public IReadOnlyList<string> Contracts { get; init; } = [];

    /// <summary>Full names of all interfaces that the class implements.</summary>
    public required IReadOnlyList<string> Interfaces { get; init; }

    /// <summary>Whether the class implements an interface of the SDK.</summary>
    public bool Implements<T>() where T : class => Interfaces.Contains(typeof(T).FullName);
}

/// <summary>The sizes of a tower as formulas over options and symbols; see <see cref="Sdk.TowerAttribute"/>.</summary>
public sealed record TowerFormulas(Expression Layers, Expression Width, Expression KeyWidth, Expression FeedForward)
{
    internal IEnumerable<Expression> All => [Layers, Width, KeyWidth, FeedForward];
}

/// <summary>A capability that the host must supply.</summary>
/// <param name="Capability">Its name: <c>embedding-generator</c>.</param>
/// <param name="Option">The setting that names the trained run which it comes from, or null.</param>
/// <param name="Optional">Whether the plugin also works without: where the setting is not given.</param>
public sealed record RequirementDescription(string Capability, string? Option, bool Optional)
{
    public override string ToString() => Option is null ? Capability : $"{Capability} of the run in '{Option}'{(Optional ? ", if given" : "")}";
}

/// <summary>A declared port.</summary>
public sealed record PortDescription(string Name, PortType Type, bool Optional);

/// <summary>What a setting's value is.</summary>
public enum OptionType { Int, Long, Double, Bool, String, Enum }

/// <summary>A setting.</summary>
/// <param name="Name">Its name in config files: <c>keyValueHeads</c>.</param>
/// <param name="ClrName">Its name in code: <c>KeyValueHeads</c>.</param>
/// <param name="Type">The type of the value, or of each item.</param>
/// <param name="Array">Whether the value is a list.</param>
/// <param name="Nullable">Whether null is allowed.</param>
/// <param name="Choices">For an enum, its names as config files have them.</param>
/// <param name="Default">long, double, bool, string (also for enums), for a list of texts string[], or null.</param>
/// <param name="Minimum">Smallest value, or null.</param>
/// <param name="Maximum">Largest value, or null.</param>
/// <param name="Description">What it means, or null.</param>
public sealed record OptionDescription(
    string Name, string ClrName, OptionType Type, bool Array, bool Nullable, IReadOnlyList<string> Choices,
    object? Default, double? Minimum, double? Maximum, string? Description)
{
    /// <summary>Other names that config files may give it.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Whether formulas may use it: a whole number or a bool.</summary>
    public bool Countable => !Array && Type is OptionType.Int or OptionType.Long or OptionType.Bool;
}

/// <summary>One option is a multiple of another times a factor; names as config files have them.</summary>
public sealed record MultipleOfRule(string Option, string Divisor, int Factor)
{
    public override string ToString() => Factor == 1 ? $"{Option} is a multiple of {Divisor}" : $"{Option} is a multiple of {Factor} * {Divisor}";
}

/// <summary>A folder, or a class in it, that cannot be used as a plugin.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Message">Why, and what to do about it.</param>
public sealed record PluginFault(string Folder, string Message);
