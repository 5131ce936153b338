using System.Text.Json;
using Microsoft.Extensions.AI;
using PluginHost.Tools.Agents;
using PluginHost.Tools.Calls;

namespace PluginHost.Serving.Http;

/// <summary>What an agent's calls came to, in <c>tool_results</c>: an extension of OpenAI's messages and deltas, which know calls alone.</summary>
internal static class ToolResults
{
    /// <summary>Writes the property; without results nothing.</summary>
    public static void Write(Utf8JsonWriter writer, IReadOnlyList<FunctionResultContent> results)
    {
        if (results.Count == 0) return;
        writer.WriteStartArray("tool_results");
        foreach (var result in results)
        {
            var outcome = result.AdditionalProperties?.GetValueOrDefault(AgentChat.Outcome) as ToolOutcome;
            writer.WriteStartObject();
            writer.WriteString("tool_call_id", result.CallId);
            writer.WriteString("name", result.AdditionalProperties?.GetValueOrDefault(AgentChat.Tool) as string);
            writer.WriteString("content", outcome?.Text ?? result.Result?.ToString());
            writer.WriteBoolean("error", outcome?.IsError == true);
            writer.WriteBoolean("untrusted", true);
            writer.WriteBoolean("cut", outcome?.Cut == true);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
