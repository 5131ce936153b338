using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Inspection;

/// <summary>Reads an options record: names, types, ranges, and the defaults of its primary constructor, which are constants in metadata.</summary>
internal static class OptionsInspection
{
    public static IReadOnlyList<OptionDescription> Describe(Type record, string id)
    {
        var constructors = record.GetConstructors();
        if (constructors.Length != 1)
            throw new FolderFaultException($"{record.Name}, the options of {id}, must be a positional record with one public constructor");
        OptionDescription[] options = [.. constructors[0].GetParameters().Select(parameter => Option(record, parameter, id))];
        foreach (var twin in options.SelectMany(option => option.Aliases.Prepend(option.Name)).GroupBy(name => name).Where(group => group.Count() > 1))
            throw new FolderFaultException($"{id} has two options under the name '{twin.Key}'; give each [Alias] a name of its own");
        return options;
    }

    public static IReadOnlyList<MultipleOfRule> Rules(Type record, IReadOnlyList<OptionDescription> options, string id)
    {
        var rules = new List<MultipleOfRule>();
        foreach (var attribute in record.GetCustomAttributesData().Where(data => data.AttributeType.FullName == typeof(MultipleOfAttribute).FullName))
        {
            var names = attribute.ConstructorArguments.Select(argument => Known((string)argument.Value!, options, id)).ToArray();
            var factor = attribute.NamedArguments.FirstOrDefault(argument => argument.MemberName == nameof(MultipleOfAttribute.Factor)).TypedValue.Value as int?;
            rules.Add(new MultipleOfRule(names[0], names[1], factor ?? 1));
        }
        return rules;
    }

    private static string Known(string name, IReadOnlyList<OptionDescription> options, string id) =>
        options.FirstOrDefault(option => option.ClrName == name && option.Countable)?.Name
        ?? throw new FolderFaultException($"{id} has a [MultipleOf] rule over '{name}', which is none of its whole-number options");

    private static OptionDescription Option(Type record, ParameterInfo parameter, string id)
    {
        var name = parameter.Name!;
        if (!parameter.HasDefaultValue) throw new FolderFaultException($"option {name} of {id} has no default value; every option needs one that works");
        var type = parameter.ParameterType;
        var array = type.IsArray;
        if (array) type = type.GetElementType()!;
        var nullable = Underlying(type);
        type = nullable ?? type;
        var kind = Kind(type) ?? throw new FolderFaultException($"option {name} of {id} is of type {type.Name}; options are int, long, double, bool, string, enums and arrays of these");
        var choices = kind == OptionType.Enum ? Names(type) : [];
        var attributes = record.GetProperty(name)?.GetCustomAttributesData() ?? [];
        var (minimum, maximum) = Range(attributes);
        var value = array ? Texts<DefaultValueAttribute>(attributes) : Default(parameter.RawDefaultValue, kind, choices);
        return new OptionDescription(
            JsonNamingPolicy.CamelCase.ConvertName(name), name, kind, array, nullable is not null || parameter.RawDefaultValue is null,
            [.. choices.Select(choice => choice.Name)], value, minimum, maximum, Text<DescriptionAttribute>(attributes))
        {
            Aliases = Texts<AliasAttribute>(attributes) ?? [],
        };
    }

    private static Type? Underlying(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition().FullName == "System.Nullable`1" ? type.GetGenericArguments()[0] : null;

    private static OptionType? Kind(Type type) => type.IsEnum ? OptionType.Enum : type.FullName switch
    {
        "System.Int32" => OptionType.Int,
        "System.Int64" => OptionType.Long,
        "System.Double" => OptionType.Double,
        "System.Boolean" => OptionType.Bool,
        "System.String" => OptionType.String,
        _ => null,
    };

    private static List<(string Name, long Value)> Names(Type type) =>
        [.. type.GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => (JsonNamingPolicy.CamelCase.ConvertName(field.Name), Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture)))];

    private static object? Default(object? raw, OptionType kind, List<(string Name, long Value)> choices)
    {
        if (raw is null) return null;
        return kind switch
        {
            OptionType.Int or OptionType.Long => Convert.ToInt64(raw, CultureInfo.InvariantCulture),
            OptionType.Enum => choices.First(choice => choice.Value == Convert.ToInt64(raw, CultureInfo.InvariantCulture)).Name,
            _ => raw,
        };
    }

    private static (double?, double?) Range(IList<CustomAttributeData> attributes)
    {
        var range = attributes.FirstOrDefault(data => data.AttributeType.FullName == typeof(RangeAttribute).FullName);
        if (range is null || range.ConstructorArguments.Count != 2) return (null, null);
        double Bound(int index) => Convert.ToDouble(range.ConstructorArguments[index].Value, CultureInfo.InvariantCulture);
        return (Bound(0), Bound(1));
    }

    // A list of texts is no constant of a parameter; an attribute holds it.
    private static string[]? Texts<T>(IList<CustomAttributeData> attributes) =>
        attributes.FirstOrDefault(data => data.AttributeType.FullName == typeof(T).FullName)?.ConstructorArguments[0].Value is IReadOnlyCollection<CustomAttributeTypedArgument> items
            ? [.. items.Select(item => (string)item.Value!)]
            : null;

    private static string? Text<T>(IList<CustomAttributeData> attributes) =>
        attributes.FirstOrDefault(data => data.AttributeType.FullName == typeof(T).FullName)?.ConstructorArguments.FirstOrDefault().Value as string;
}
