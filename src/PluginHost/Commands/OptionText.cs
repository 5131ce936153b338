using System.Globalization;
using PluginHost.Catalog;

namespace PluginHost.Commands;

/// <summary>A setting's type, default and range as a person reads them.</summary>
internal static class OptionText
{
    public static string Type(OptionDescription option) =>
        (option.Type == OptionType.Enum ? string.Join('|', option.Choices) : option.Type.ToString().ToLowerInvariant()) + (option.Array ? "[]" : "");

    public static string Default(OptionDescription option) => option.Default switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        string[] texts => $"[{string.Join(", ", texts)}]",
        string text => text.Length == 0 ? "\"\"" : text,
        var value => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>What it means, and the other names that it has.</summary>
    public static string Description(OptionDescription option) =>
        option.Aliases.Count == 0 ? option.Description ?? "" : $"{option.Description} Also: {string.Join(", ", option.Aliases)}.";

    public static string Range(OptionDescription option) =>
        option.Minimum is null && option.Maximum is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{option.Minimum}..{option.Maximum}");
}
