using System.Reflection;
using System.Text.RegularExpressions;
using PluginHost.Catalog.Ports;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Inspection;

/// <summary>Reads what a plugin class says about itself.</summary>
internal static partial class PluginInspection
{
    /// <summary>The description without its folder, or null when the class is no plugin.</summary>
    public static PluginDescription? Describe(Type type)
    {
        var attributes = type.GetCustomAttributesData();
        if (attributes.FirstOrDefault(Is<PluginAttribute>) is not { } plugin) return null;
        var id = Argument(plugin, 0);
        if (!PluginId().IsMatch(id)) throw new FolderFaultException($"'{id}' is no plugin id; one is kind and name in kebab case, such as fusion.cross-attention");
        if (!type.IsPublic || !type.IsSealed || type.IsAbstract || type.ContainsGenericParameters)
            throw new FolderFaultException($"{id} must be a public sealed class without type parameters");
        var record = OptionsRecord(type, id);
        var options = record is null ? [] : OptionsInspection.Describe(record, id);
        var description = new PluginDescription
        {
            Id = id,
            Kind = id[..id.IndexOf('.', StringComparison.Ordinal)],
            Summary = Argument(plugin, 1),
            Checkpoints = plugin.NamedArguments.Any(argument => argument.MemberName == nameof(PluginAttribute.Checkpoints) && argument.TypedValue.Value is true),
            Version = VersionOf(type.Assembly),
            SdkRange = SdkRangeOf(type.Assembly),
            Requires = [.. attributes.Where(Is<RequiresAttribute>).Select(attribute => Requirement(attribute, options, id))],
            Hash = "",
            Folder = "",
            Origin = "",
            AssemblyPath = "",
            TypeName = type.FullName!,
            Options = options,
            Rules = record is null ? [] : OptionsInspection.Rules(record, options, id),
            Inputs = [.. attributes.Where(Is<InputAttribute>).Select(Port)],
            Variadic = attributes.Where(Is<InputsAttribute>).Select(Port).FirstOrDefault(),
            Outputs = [.. attributes.Where(Is<OutputAttribute>).Select(Port)],
            Parameters = Formula(attributes, nameof(CostAttribute.Parameters)),
            Activations = Formula(attributes, nameof(CostAttribute.Activations)),
            Tower = Tower(attributes),
            Accepts = [.. attributes.Where(Is<AcceptsAttribute>).SelectMany(Extensions)],
            Interfaces = [.. type.GetInterfaces().Select(item => item.FullName ?? item.Name).Order(StringComparer.Ordinal)],
        };
        KindCheck.Run(description);
        CheckNames(description);
        return description;
    }

    private static bool Is<T>(CustomAttributeData attribute) => attribute.AttributeType.FullName == typeof(T).FullName;

    private static string Argument(CustomAttributeData attribute, int index) => attribute.ConstructorArguments[index].Value as string ?? "";

    private static RequirementDescription Requirement(CustomAttributeData attribute, IReadOnlyList<OptionDescription> options, string id)
    {
        object? Named(string name) => attribute.NamedArguments.FirstOrDefault(argument => argument.MemberName == name).TypedValue.Value;
        var (capability, from, optional) = (Argument(attribute, 0), Named(nameof(RequiresAttribute.From)) as string, Named(nameof(RequiresAttribute.Optional)) is true);
        var runs = options.Where(option => option is { Type: OptionType.String, Array: false, Nullable: true }).ToArray();
        if (from is null && optional) throw new FolderFaultException($"{id} requires '{capability}' as optional, but 'From' names no option that says whether it is there");
        var option = runs.FirstOrDefault(option => option.ClrName == from);
        if (from is not null && option is null)
            throw new FolderFaultException($"{id} requires '{capability}' from its option '{from}', but has no option of that name whose value is a text or null{Config.NearestName.Suggestion(from, runs.Select(known => known.ClrName))}");
        return new RequirementDescription(capability, option?.Name, optional);
    }

    private static PortDescription Port(CustomAttributeData attribute)
    {
        var optional = attribute.NamedArguments.FirstOrDefault(argument => argument.MemberName == nameof(InputAttribute.Optional)).TypedValue.Value is true;
        return new PortDescription(Argument(attribute, 0), PortType.Parse(Argument(attribute, 1)), optional);
    }

    private static Expression? Formula(IList<CustomAttributeData> attributes, string name)
    {
        var cost = attributes.FirstOrDefault(Is<CostAttribute>);
        var text = cost?.NamedArguments.FirstOrDefault(argument => argument.MemberName == name).TypedValue.Value as string;
        return text is null ? null : ExpressionParser.Parse(text, sums: true);
    }

    private static TowerFormulas? Tower(IList<CustomAttributeData> attributes)
    {
        if (attributes.FirstOrDefault(Is<TowerAttribute>) is not { } tower) return null;
        Expression Of(string name) => ExpressionParser.Parse((string)tower.NamedArguments.First(argument => argument.MemberName == name).TypedValue.Value!, sums: false);
        return new TowerFormulas(Of(nameof(TowerAttribute.Layers)), Of(nameof(TowerAttribute.Width)), Of(nameof(TowerAttribute.KeyWidth)), Of(nameof(TowerAttribute.FeedForward)));
    }

    private static IEnumerable<string> Extensions(CustomAttributeData attribute) =>
        ((IReadOnlyCollection<CustomAttributeTypedArgument>)attribute.ConstructorArguments[0].Value!).Select(item => (string)item.Value!);

    private static Type? OptionsRecord(Type type, string id)
    {
        var constructors = type.GetConstructors();
        if (constructors.Length != 1) throw new FolderFaultException($"{id} needs exactly one public constructor, it has {constructors.Length}");
        var parameters = constructors[0].GetParameters();
        if (parameters.Length > 1) throw new FolderFaultException($"the constructor of {id} takes its options record alone, not {parameters.Length} parameters");
        return parameters.Length == 0 ? null : parameters[0].ParameterType;
    }

    private static string VersionOf(Assembly assembly)
    {
        var informational = assembly.GetCustomAttributesData().FirstOrDefault(Is<AssemblyInformationalVersionAttribute>);
        var version = informational is null ? assembly.GetName().Version!.ToString(3) : Argument(informational, 0);
        var build = version.IndexOf('+', StringComparison.Ordinal);
        return build < 0 ? version : version[..build];
    }

    // An assembly built without the SDK's build files says no range: then it is the one that those files would have written.
    public static string SdkRangeOf(Assembly assembly)
    {
        if (assembly.GetCustomAttributesData().FirstOrDefault(Is<SdkRangeAttribute>) is { } range) return Argument(range, 0);
        var compiled = assembly.GetReferencedAssemblies().FirstOrDefault(reference => reference.Name == "PluginHost.Sdk")?.Version;
        if (compiled is null) return "*"; // no reference, no need
        return $"[{compiled.ToString(3)},{compiled.Major + 1}.0.0)";
    }

    // A formula or a port that names what does not exist would otherwise fail in some user's plan.
    private static void CheckNames(PluginDescription plugin)
    {
        PortDescription[] ports = [.. plugin.Inputs, .. plugin.Outputs, .. plugin.Variadic is null ? [] : new[] { plugin.Variadic }];
        foreach (var twin in plugin.Requires.GroupBy(item => item.Capability).Where(group => group.Count() > 1))
            throw new FolderFaultException($"{plugin.Id} requires '{twin.Key}' twice; once is enough");
        foreach (var twin in plugin.Inputs.GroupBy(port => port.Name).Concat(plugin.Outputs.GroupBy(port => port.Name)).Where(group => group.Count() > 1))
            throw new FolderFaultException($"{plugin.Id} declares the port '{twin.Key}' twice");
        Expression?[] formulas = [.. ports.SelectMany(port => port.Type.Dimensions), plugin.Parameters, plugin.Activations, .. plugin.Tower?.All ?? []];
        var countable = plugin.Options.Where(option => option.Countable).Select(option => option.ClrName).ToArray();
        foreach (var name in formulas.SelectMany(formula => formula?.Options ?? []).Except(countable))
            throw new FolderFaultException($"{plugin.Id} uses {{{name}}} in a port or formula, but has no whole-number option of that name{Config.NearestName.Suggestion(name, countable)}");
        var symbols = ports.SelectMany(port => port.Type.Dimensions).SelectMany(dimension => dimension.Symbols).ToHashSet();
        // A tuning has no ports: its costs are those of the graph that it is put to.
        if (plugin.Kind == "tuning") symbols = ["P", "S", "D_i", "R_i"];
        foreach (var name in new[] { plugin.Parameters, plugin.Activations }.Concat(plugin.Tower?.All ?? []).SelectMany(formula => formula?.Symbols ?? []).Where(name => !symbols.Contains(name)))
            throw new FolderFaultException($"{plugin.Id} uses '{name}' in a cost formula, but none of its ports has it{Config.NearestName.Suggestion(name, symbols)}");
    }

    [GeneratedRegex(@"^[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+\z")]
    private static partial Regex PluginId();
}
