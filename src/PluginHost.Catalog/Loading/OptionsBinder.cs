using System.Globalization;

namespace PluginHost.Catalog.Loading;

/// <summary>
/// Makes an options record from resolved settings through its primary constructor. Plain reflection on purpose: the framework's
/// binders put the plugin's types into process-wide caches, and the plugin could never be unloaded.
/// </summary>
internal static class OptionsBinder
{
    public static object Bind(Type record, PluginDescription plugin, IReadOnlyDictionary<string, object?> settings)
    {
        var constructor = record.GetConstructors()[0];
        var parameters = constructor.GetParameters();
        var arguments = new object?[parameters.Length];
        for (var i = 0; i < parameters.Length; i++)
        {
            var option = plugin.Options[i];
            var value = settings.TryGetValue(option.Name, out var given) ? given : option.Default;
            arguments[i] = Convert(value, parameters[i].ParameterType);
        }
        return constructor.Invoke(arguments);
    }

    private static object? Convert(object? value, Type type)
    {
        if (value is null) return null;
        if (type.IsArray) return List((Array)value, type.GetElementType()!);
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsEnum) return Enum.Parse(type, (string)value, ignoreCase: true);
        return type == typeof(int) ? checked((int)System.Convert.ToInt64(value, CultureInfo.InvariantCulture)) : value;
    }

    private static Array List(Array values, Type item)
    {
        var list = Array.CreateInstance(item, values.Length);
        for (var i = 0; i < values.Length; i++) list.SetValue(Convert(values.GetValue(i), item), i);
        return list;
    }
}
