using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Tools.Calls;
using PluginHost.Tools.Registry;

namespace PluginHost.Tools.Tests;

/// <summary>A function that does what a test says.</summary>
internal sealed class FakeFunction(string name, Func<AIFunctionArguments, CancellationToken, Task<object?>> call, string schema = """{"type":"object","properties":{}}""", string description = "does something") : AIFunction
{
    public override string Name => name;

    public override string Description => description;

    public override JsonElement JsonSchema { get; } = JsonDocument.Parse(schema).RootElement;

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => await call(arguments, cancellationToken);
}

/// <summary>A registry over a file of its own.</summary>
internal sealed class RegistryUnderTest : IDisposable
{
    private readonly ToolMeter meter = new();

    public RegistryUnderTest(ToolLimits? limits = null)
    {
        Limits = limits ?? new ToolLimits { RetryDelay = TimeSpan.FromMilliseconds(1) };
        Registry = Open();
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("tools").FullName;

    public string File => Path.Combine(Folder, "tools.json");

    public ToolLimits Limits { get; }

    public ToolRegistry Registry { get; }

    /// <summary>The registry as it is after a restart.</summary>
    public ToolRegistry Open() => new(new ToolStore(File), meter, Limits, NullLogger.Instance);

    public RegisteredTool Add(string name, Func<AIFunctionArguments, CancellationToken, Task<object?>> call, bool writes = false, string schema = """{"type":"object","properties":{}}""")
    {
        Registry.Put(name, [new ToolOffer(name, new FakeFunction(name, call, schema)) { Writes = writes }]);
        return Registry.Find(name)!;
    }

    public RegisteredTool Add(string name, object? result) => Add(name, (_, _) => Task.FromResult(result));

    public static JsonElement Arguments(string json) => JsonDocument.Parse(json).RootElement;

    public void Dispose()
    {
        meter.Dispose();
        Directory.Delete(Folder, true);
    }
}
