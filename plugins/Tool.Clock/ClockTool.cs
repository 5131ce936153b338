// The time as a tool: a model knows none.
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Tool.Clock;

/// <summary>Tells date and time.</summary>
[Plugin("tool.clock", "Tells the date and the time in a time zone.")]
public sealed class ClockTool : IToolPlugin
{
    /// <inheritdoc/>
    public IReadOnlyList<ToolFunction> Open(ToolContext context) => [new Function(context.Clock)];

    private sealed class Function(TimeProvider clock) : ToolFunction("clock", "Tells the date, the day of the week and the time now in a time zone.", """
        {
          "type": "object",
          "properties": {
            "zone": { "type": "string", "maxLength": 100, "default": "UTC", "description": "The name of a time zone, such as Europe/Berlin" }
          },
          "additionalProperties": false
        }
        """)
    {
        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            var name = Text(arguments, "zone") ?? "UTC";
            if (!TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone)) throw new UserErrorException($"there is no time zone '{name}'; zones are named like Europe/Berlin, Asia/Shanghai or UTC");
            var now = TimeZoneInfo.ConvertTime(clock.GetUtcNow(), zone);
            return ValueTask.FromResult<object?>(new JsonObject
            {
                ["time"] = now.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture),
                ["day"] = now.DayOfWeek.ToString(),
                ["zone"] = name,
                ["unix"] = now.ToUnixTimeSeconds(),
            });
        }
    }
}
