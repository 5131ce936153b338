#pragma warning disable RS0030 // A timer keeps the plugin in memory until it is disposed: Dispose does so.
using System.Text;
using System.Text.Json;
using PluginHost.Sdk;
using Wasmtime;

namespace Tool.Wasm;

/// <summary>
/// A module that is compiled once, and an instance for each call. A function takes numbers and gives one; or it takes a text and gives one, as <c>(i32 address, i32 length) -> i64</c> with the result's address in the
/// upper half and its length in the lower, beside an exported <c>memory</c> and <c>alloc(i32 length) -> i32 address</c>. Nothing is imported: no files, no clock, no network.
/// </summary>
internal sealed class Sandbox : IDisposable
{
    /// <summary>The argument of a function that takes a text.</summary>
    public const string Input = "input";

    private const string Memory = "memory";
    private const string Allocate = "alloc";
    private const int Tick = 10; // milliseconds
    private const int MostText = 1 << 20; // bytes

    private readonly WasmOptions options;
    private readonly Engine engine;
    private readonly Module module;
    private readonly Timer clock;

    /// <exception cref="UserErrorException">The module cannot be used.</exception>
    public Sandbox(string file, WasmOptions options)
    {
        this.options = options;
        engine = new Engine(new Config().WithFuelConsumption(true).WithEpochInterruption(true).WithMaximumStackSize(512 << 10));
        try
        {
            module = file.EndsWith(".wat", StringComparison.OrdinalIgnoreCase) ? Module.FromTextFile(engine, file) : Module.FromFile(engine, file);
        }
        catch (WasmtimeException error)
        {
            engine.Dispose();
            throw new UserErrorException($"tool.wasm: {file} is no module: {error.Message.Split('\n')[0]}");
        }
        clock = new Timer(_ => engine.IncrementEpoch(), null, Tick, Tick);
        try
        {
            Check(file);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether the function takes a text and gives one.</summary>
    public bool TakesText { get; private set; }

    /// <summary>Its arguments, and whether they are whole numbers.</summary>
    public IReadOnlyList<(string Name, bool Whole)> Parameters { get; private set; } = [];

    /// <summary>Calls the function with numbers.</summary>
    /// <returns>int, long, float or double; null: it gives nothing.</returns>
    public object? Run(IReadOnlyList<JsonElement> arguments) => Within((instance, function) => function.Invoke([.. arguments.Select((value, i) => Box(value, function.Parameters[i], Parameters[i].Name))]));

    /// <summary>Calls the function with a text.</summary>
    public string Run(string text) => (string)Within((instance, function) =>
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var memory = instance.GetMemory(Memory)!;
        var address = (int)instance.GetFunction(Allocate)!.Invoke(bytes.Length)!;
        bytes.CopyTo(Span(memory, (uint)address, bytes.Length));
        var result = (long)function.Invoke(address, bytes.Length)!;
        var length = (int)(result & 0xFFFFFFFF);
        if (length is < 0 or > MostText) throw new UserErrorException($"the function gave a text of {(uint)length} bytes; {MostText} are the most");
        return Encoding.UTF8.GetString(Span(memory, (uint)(result >> 32), length));
    })!;

    public void Dispose()
    {
        // A tick under way uses the engine, and one that found it gone would end the process.
        clock?.DisposeAsync().AsTask().Wait();
        module?.Dispose();
        engine.Dispose();
    }

    private object? Within(Func<Instance, Function, object?> call)
    {
        using var store = new Store(engine) { Fuel = (ulong)options.Fuel };
        store.SetLimits(memorySize: (long)options.MemoryMegabytes << 20, instances: 1, memories: 1, tables: 1, tableElements: 10_000);
        store.SetEpochDeadline((ulong)(options.Milliseconds / Tick) + 1);
        try
        {
            var instance = new Instance(store, module);
            return call(instance, instance.GetFunction(options.Function)!);
        }
        catch (TrapException trap)
        {
            throw new UserErrorException(trap.Type switch
            {
                TrapCode.OutOfFuel => $"the function ran for more than {options.Fuel} instructions ('fuel')",
                TrapCode.Interrupt => $"the function ran for more than {options.Milliseconds} ms ('milliseconds')",
                TrapCode.StackOverflow => "the function called itself too deep",
                var other => $"the function failed: {other}",
            });
        }
        catch (WasmtimeException error)
        {
            throw new UserErrorException($"the function failed: {error.Message.Split('\n')[0]}");
        }
    }

    private void Check(string file)
    {
        if (module.Imports.Count > 0) throw new UserErrorException($"tool.wasm: {file} imports '{module.Imports[0].ModuleName}.{module.Imports[0].Name}', and modules are given nothing; build it without");
        var exports = module.Exports.OfType<FunctionExport>().ToList();
        var function = exports.Find(export => export.Name == options.Function)
            ?? throw new UserErrorException($"tool.wasm: {file} exports no function '{options.Function}'; it exports {string.Join(", ", exports.Select(export => export.Name).DefaultIfEmpty("none"))}");
        TakesText = function.Parameters is [ValueKind.Int32, ValueKind.Int32] && function.Results is [ValueKind.Int64] && exports.Exists(export => export.Name == Allocate && export.Parameters is [ValueKind.Int32] && export.Results is [ValueKind.Int32]) && module.Exports.Any(export => export is MemoryExport { Name: Memory });
        if (!TakesText && (function.Results.Count > 1 || function.Parameters.Concat(function.Results).Any(kind => kind is not (ValueKind.Int32 or ValueKind.Int64 or ValueKind.Float32 or ValueKind.Float64))))
            throw new UserErrorException($"tool.wasm: '{options.Function}' of {file} takes or gives something else than numbers, or gives several");
        if (!TakesText && options.Arguments is { } names && names.Length != function.Parameters.Count)
            throw new UserErrorException($"tool.wasm: 'arguments' names {names.Length} arguments, and '{options.Function}' of {file} takes {function.Parameters.Count}");
        Parameters = TakesText ? [(Input, false)] : [.. function.Parameters.Select((kind, i) => (options.Arguments?[i] ?? ((char)('a' + i)).ToString(), kind is ValueKind.Int32 or ValueKind.Int64))];
    }

    private static ValueBox Box(JsonElement value, ValueKind kind, string name) => kind switch
    {
        ValueKind.Int32 => value.TryGetInt32(out var small) ? small : throw new UserErrorException($"'{name}' is {value}, which is no whole number of 32 bits"),
        ValueKind.Int64 => value.TryGetInt64(out var large) ? large : throw new UserErrorException($"'{name}' is {value}, which is no whole number of 64 bits"),
        ValueKind.Float32 => (float)value.GetDouble(),
        _ => value.GetDouble(),
    };

    // What a function says about its memory is not to be believed.
    private static Span<byte> Span(Memory memory, long address, int length) =>
        address + length <= memory.GetLength() ? memory.GetSpan(address, length) : throw new UserErrorException("the function named a place outside of its memory");
}
