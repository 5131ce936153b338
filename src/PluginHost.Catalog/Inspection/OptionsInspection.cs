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
        return [.. constructors[0].GetParameters().Select(parameter => Option(record, parameter, id))];
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
        var value = Default(parameter.RawDefaultValue, kind, array, choices);
        return new OptionDescription(
            JsonNamingPolicy.CamelCase.ConvertName(name), name, kind, array, nullable is not null || value is null,
            [.. choices.Select(choice => choice.Name)], value, minimum, maximum, Text<DescriptionAttribute>(attributes));
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

    private static object? Default(object? raw, OptionType kind, bool array, List<(string Name, long Value)> choices)
    {
        if (raw is null || array) return null;
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

    private static string? Text<T>(IList<CustomAttributeData> attributes) =>
        attributes.FirstOrDefault(data => data.AttributeType.FullName == typeof(T).FullName)?.ConstructorArguments.FirstOrDefault().Value as string;
}
