using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Catalog.Health;
using PluginHost.Catalog.Inspection;
using PluginHost.Catalog.Loading;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Isolation;

/// <summary>The other end of an <see cref="IsolatedPlugin"/>: runs in a child process, loads one plugin and answers calls until the host goes.</summary>
internal static class PluginServer
{
    public static int Run(Stream input, Stream output)
    {
        Console.SetOut(TextWriter.Null); // what the plugin prints is not for the host
        var instance = Start(IsolationMessages.Read<IsolationStart>(input)!, output);
        if (instance is null) return 1;
        using var calls = new BlockingCollection<IsolationCall>();
        // On a thread of its own: when the host is gone, the process ends in the middle of whatever it does.
        new Thread(() => Listen(input, calls)).Start();
        foreach (var call in calls.GetConsumingEnumerable()) IsolationMessages.Write(output, Answer(instance, call));
        return 0;
    }

    private static void Listen(Stream input, BlockingCollection<IsolationCall> calls)
    {
        while (IsolationMessages.Read<IsolationCall>(input) is { } call) calls.Add(call);
        Environment.Exit(0);
    }

    private static object? Start(IsolationStart start, Stream output)
    {
        try
        {
            var content = FolderInspection.Inspect(start.Folder, null, new Dictionary<string, string>(), start.Assembly);
            var plugin = content.Plugins.FirstOrDefault(plugin => plugin.Id == start.Id) ?? throw new UserErrorException(content.Faults.FirstOrDefault()?.Message ?? $"{start.Folder} does not hold it");
            var health = new PluginHealth(plugin, () => new QuarantineOptions(), new PluginEvents(NullLogger.Instance), TimeProvider.System);
            var instance = new PluginContext(plugin, health, new ContractHomes()).Create(plugin, plugin.Options.ToDictionary(option => option.Name, option => Setting(option, start)));
            IsolationMessages.Write(output, new IsolationReply(null, null, null));
            return instance;
        }
        catch (Exception error)
        {
            IsolationMessages.Write(output, Failed(error));
            return null;
        }
    }

    private static IsolationReply Answer(object instance, IsolationCall call)
    {
        try
        {
            var method = typeof(PluginAttribute).Assembly.GetType(call.Interface, throwOnError: true)!.GetMethod(call.Method)!;
            object?[] arguments = [.. method.GetParameters().Select((parameter, i) =>
                parameter.ParameterType == typeof(CancellationToken) ? CancellationToken.None : IsolationMessages.Unpack(call.Arguments[i], parameter.ParameterType))];
            var result = method.Invoke(instance, arguments);
            return new IsolationReply(method.ReturnType == typeof(void) ? null : IsolationMessages.Pack(result, method.ReturnType), null, null);
        }
        catch (Exception error)
        {
            return Failed(error);
        }
    }

    private static IsolationReply Failed(Exception error)
    {
        while (error is System.Reflection.TargetInvocationException { InnerException: { } inner }) error = inner;
        return new IsolationReply(null, error.GetType().Name, error.Message);
    }

    // JSON knows one kind of number; the option says which is meant.
    private static object? Setting(OptionDescription option, IsolationStart start)
    {
        if (!start.Settings.TryGetValue(option.Name, out var given)) return option.Default;
        if (given is not JsonElement { ValueKind: not JsonValueKind.Null } value) return null;
        return (option.Type, option.Array) switch
        {
            (OptionType.Int or OptionType.Long, false) => value.GetInt64(),
            (OptionType.Double, false) => value.GetDouble(),
            (OptionType.Bool, false) => value.GetBoolean(),
            (_, false) => value.GetString(),
            (OptionType.Int or OptionType.Long, true) => value.EnumerateArray().Select(item => item.GetInt64()).ToArray(),
            (OptionType.Double, true) => value.EnumerateArray().Select(item => item.GetDouble()).ToArray(),
            (OptionType.Bool, true) => value.EnumerateArray().Select(item => item.GetBoolean()).ToArray(),
            (_, true) => value.EnumerateArray().Select(item => item.GetString()!).ToArray(),
        };
    }
}
