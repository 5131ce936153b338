using System.Globalization;
using PluginHost.Config;
using PluginHost.Config.Json;

namespace PluginHost.Catalog;

/// <summary>Checks settings against a plugin's metadata and fills the defaults in.</summary>
public static class SettingsValidator
{
    /// <summary>Validates the settings of a use.</summary>
    /// <returns>
    /// Every setting by its config name: long (for whole numbers of either size), double, bool, string (also for enums), null, or
    /// for lists long[], double[], bool[] or string[].
    /// </returns>
    public static IReadOnlyDictionary<string, object?> Validate(PluginDescription plugin, PluginUse use, List<ConfigError> errors)
    {
        var known = errors.Count;
        var values = plugin.Options.ToDictionary(option => option.Name, option => option.Default);
        var given = new Dictionary<string, string>();
        foreach (var member in use.Settings?.Members ?? [])
        {
            var option = plugin.Options.FirstOrDefault(option => option.Name == member.Name || option.Aliases.Contains(member.Name));
            if (option is null)
                errors.Add(new ConfigError(member.NameLocation, $"unknown setting '{member.Name}' of {plugin.Id}{NearestName.Suggestion(member.Name, plugin.Options.Select(known => known.Name))}"));
            else if (!given.TryAdd(option.Name, member.Name))
                errors.Add(new ConfigError(member.NameLocation, $"'{member.Name}' and '{given[option.Name]}' are one setting of {plugin.Id}; give it once"));
            else if (Read(option, member.Value, plugin, errors) is { } read)
                values[option.Name] = read.Value;
        }
        // A rule over a value that is wrong by itself would only repeat the message.
        if (errors.Count == known) CheckRules(plugin, use, values, errors);
        return values;
    }

    private static void CheckRules(PluginDescription plugin, PluginUse use, Dictionary<string, object?> values, List<ConfigError> errors)
    {
        foreach (var rule in plugin.Rules)
        {
            if (values[rule.Option] is not long value || values[rule.Divisor] is not long divisor) continue;
            var unit = divisor * rule.Factor;
            if (unit != 0 && value % unit == 0) continue;
            var location = use.Settings?.Find(rule.Option)?.Location ?? use.Settings?.Find(rule.Divisor)?.Location ?? use.Location;
            var by = rule.Factor == 1 ? $"{rule.Divisor} {divisor}" : $"{rule.Factor} * {rule.Divisor} = {unit}";
            errors.Add(new ConfigError(location, $"{rule.Option} {value} is not a multiple of {by} (rule of {plugin.Id}: {rule})"));
        }
    }

    private sealed record Result(object? Value);

    private static Result? Read(OptionDescription option, JsonElementNode node, PluginDescription plugin, List<ConfigError> errors)
    {
        if (node.Kind == JsonKind.Null)
        {
            if (option.Nullable) return new Result(null);
            errors.Add(new ConfigError(node.Location, $"'{option.Name}' of {plugin.Id} cannot be null; leave it out for its default"));
            return null;
        }
        if (!option.Array) return Scalar(option, node, plugin, errors);
        if (node.Kind != JsonKind.Array)
        {
            errors.Add(new ConfigError(node.Location, $"'{option.Name}' of {plugin.Id} is a list in [ ], not {Shown(node)}"));
            return null;
        }
        var items = node.Items.Select(item => Scalar(option, item, plugin, errors)).ToArray();
        if (items.Any(item => item is null)) return null;
        var values = items.Select(item => item!.Value);
        return new Result(option.Type switch
        {
            OptionType.Int or OptionType.Long => values.Cast<long>().ToArray(),
            OptionType.Double => values.Cast<double>().ToArray(),
            OptionType.Bool => values.Cast<bool>().ToArray(),
            _ => (object)values.Cast<string>().ToArray(),
        });
    }

    private static Result? Scalar(OptionDescription option, JsonElementNode node, PluginDescription plugin, List<ConfigError> errors)
    {
        var problem = option.Type switch
        {
            OptionType.Int or OptionType.Long => Whole(option, node, out var whole) is { } wrong ? wrong : new Result(whole),
            OptionType.Double => node.TryGetDouble(out var number) ? InRange(option, number, number) : $"is a number, not {Shown(node)}",
            OptionType.Bool => node.Kind == JsonKind.Boolean ? new Result(node.Text == "true") : $"is true or false, not {Shown(node)}",
            OptionType.String => node.Kind == JsonKind.String ? new Result(node.Text) : $"is a text, not {Shown(node)}",
            _ => (object)Choice(option, node),
        };
        if (problem is Result result) return result;
        errors.Add(new ConfigError(node.Location, $"'{option.Name}' of {plugin.Id} {problem}"));
        return null;
    }

    private static string? Whole(OptionDescription option, JsonElementNode node, out long value)
    {
        if (!node.TryGetInt64(out value)) return $"is a whole number, not {Shown(node)}";
        if (option.Type == OptionType.Int && value is < int.MinValue or > int.MaxValue) return $"is {value}, which does not fit into 32 bits";
        return InRange(option, value, value) as string;
    }

    private static object InRange(OptionDescription option, double value, object result)
    {
        if (value >= (option.Minimum ?? double.NegativeInfinity) && value <= (option.Maximum ?? double.PositiveInfinity)) return new Result(result);
        return string.Create(CultureInfo.InvariantCulture, $"is {result}, outside its range {option.Minimum} to {option.Maximum}");
    }

    private static object Choice(OptionDescription option, JsonElementNode node)
    {
        if (node.Kind != JsonKind.String) return $"is one of {string.Join(", ", option.Choices)}, not {Shown(node)}";
        var choice = option.Choices.FirstOrDefault(name => string.Equals(name, node.Text, StringComparison.OrdinalIgnoreCase));
        return choice is null ? $"cannot be '{node.Text}'{NearestName.Suggestion(node.Text, option.Choices)}" : new Result(choice);
    }

    private static string Shown(JsonElementNode node) => node.Kind switch
    {
        JsonKind.Object => "an object",
        JsonKind.Array => "a list",
        JsonKind.String => $"the text \"{node.Text}\"",
        _ => node.Text,
    };
}
