// A function of a WebAssembly module as a tool, run by Wasmtime: it sees its arguments and nothing else, and fuel, memory and time are bounded. Each call has an instance of its own.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Tool.Wasm;

/// <summary>Settings of <see cref="WasmTool"/>.</summary>
/// <param name="Module">The module's file.</param>
/// <param name="Function">The exported function.</param>
/// <param name="Name">The tool's name.</param>
/// <param name="Description">What it does.</param>
/// <param name="Arguments">Names of the arguments.</param>
/// <param name="Fuel">Instructions of a call.</param>
/// <param name="MemoryMegabytes">Memory of a call.</param>
/// <param name="Milliseconds">Time of a call.</param>
public sealed record WasmOptions(
    [property: Description("The module: a .wasm or .wat file; relative to the host file.")] string? Module = null,
    [property: Description("The exported function that is called.")] string Function = "run",
    [property: Description("The tool's name; by default the function's.")] string? Name = null,
    [property: Description("What the tool does, for a model to choose by.")] string Description = "A function of a WebAssembly module.",
    [property: Description("Names of the arguments in their order; by default a, b, c, ...")] string[]? Arguments = null,
    [property: Range(1000, 1_000_000_000_000), Description("Instructions of a call at most, roughly.")] long Fuel = 1_000_000_000,
    [property: Range(1, 1024), Description("Megabytes of a call's memory at most.")] int MemoryMegabytes = 16,
    [property: Range(10, 600_000), Description("Milliseconds of a call at most.")] int Milliseconds = 2000);

/// <summary>Calls a function of a WebAssembly module.</summary>
[Plugin("tool.wasm", "Calls a function of a WebAssembly module within bounds of instructions, memory and time.")]
public sealed class WasmTool(WasmOptions options) : IToolPlugin, IDisposable
{
    private Sandbox? sandbox;

    /// <inheritdoc/>
    public IReadOnlyList<ToolFunction> Open(ToolContext context)
    {
        if (options.Module is null) throw new UserErrorException("tool.wasm: 'module' names the file of the module");
        var file = Path.GetFullPath(options.Module, context.Folder);
        if (!File.Exists(file)) throw new UserErrorException($"tool.wasm: there is no file {file} ('module')");
        sandbox?.Dispose();
        sandbox = new Sandbox(file, options);
        return [new Call(sandbox, options)];
    }

    /// <inheritdoc/>
    public void Dispose() => sandbox?.Dispose();

    private sealed class Call(Sandbox sandbox, WasmOptions options) : ToolFunction(options.Name ?? options.Function, options.Description, Schema(sandbox))
    {
        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            if (sandbox.TakesText) return ValueTask.FromResult<object?>(sandbox.Run(Text(arguments, Sandbox.Input) ?? ""));
            var given = sandbox.Parameters.Select(parameter => Argument(arguments, parameter.Name) ?? throw new UserErrorException($"'{parameter.Name}' is not given")).ToArray();
            var result = sandbox.Run(given);
            return ValueTask.FromResult<object?>(result is double or float ? Convert.ToDouble(result, CultureInfo.InvariantCulture) : result is null ? "" : Convert.ToInt64(result, CultureInfo.InvariantCulture));
        }

        private static string Schema(Sandbox sandbox)
        {
            var properties = new JsonObject();
            foreach (var parameter in sandbox.Parameters)
                properties[parameter.Name] = sandbox.TakesText
                    ? new JsonObject { ["type"] = "string", ["description"] = "The text that the function is given" }
                    : new JsonObject { ["type"] = parameter.Whole ? "integer" : "number", ["description"] = $"Argument {parameter.Name}, {(parameter.Whole ? "a whole number" : "a number")}" };
            return new JsonObject
            {
                ["type"] = "object",
                ["properties"] = properties,
                ["required"] = new JsonArray([.. sandbox.Parameters.Select(parameter => (JsonNode)parameter.Name)]),
                ["additionalProperties"] = false,
            }.ToJsonString();
        }
    }
}
