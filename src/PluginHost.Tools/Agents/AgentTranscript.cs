using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;
using PluginHost.Tools.Calls;

namespace PluginHost.Tools.Agents;

/// <summary>What an agent was asked and what it did, a line of JSON for each step as it is taken.</summary>
/// <param name="folder">Where transcripts are; each is a file of its own.</param>
/// <param name="agent">The agent's name.</param>
/// <param name="model">The model that it thinks with.</param>
internal sealed class AgentTranscript(string folder, string agent, string model) : IDisposable
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly FileStream file = Create(Path.Combine(folder, agent));

    /// <summary>The request.</summary>
    public void Asked(IEnumerable<ChatMessage> messages) => Line("request", writer =>
    {
        writer.WriteString("agent", agent);
        writer.WriteString("model", model);
        writer.WriteStartArray("messages");
        foreach (var message in messages)
        {
            writer.WriteStartObject();
            writer.WriteString("role", message.Role.Value);
            writer.WriteString("text", message.Text);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });

    /// <summary>What the model said in a step.</summary>
    public void Said(int step, string text) => Line("answer", writer =>
    {
        writer.WriteNumber("step", step);
        writer.WriteString("text", text);
    });

    /// <summary>A call that the model makes.</summary>
    public void Called(int step, FunctionCallContent call) => Line("call", writer =>
    {
        writer.WriteNumber("step", step);
        writer.WriteString("id", call.CallId);
        writer.WriteString("name", call.Name);
        writer.WritePropertyName("arguments");
        JsonSerializer.SerializeToElement(call.Arguments ?? new Dictionary<string, object?>(), AIJsonUtilities.DefaultOptions).WriteTo(writer);
    });

    /// <summary>What came of it.</summary>
    public void Returned(int step, string id, string name, ToolOutcome outcome) => Line("result", writer =>
    {
        writer.WriteNumber("step", step);
        writer.WriteString("id", id);
        writer.WriteString("name", name);
        writer.WriteString("outcome", ToolMeter.NameOf(outcome.Status));
        writer.WriteString("content", outcome.Text);
        writer.WriteBoolean("cut", outcome.Cut);
        writer.WriteNumber("seconds", outcome.Duration.TotalSeconds);
    });

    /// <summary>How it ended.</summary>
    public void Ended(string reason, int steps, UsageDetails usage) => Line("end", writer =>
    {
        writer.WriteString("reason", reason);
        writer.WriteNumber("steps", steps);
        writer.WriteNumber("inputTokens", usage.InputTokenCount ?? 0);
        writer.WriteNumber("outputTokens", usage.OutputTokenCount ?? 0);
    });

    public void Dispose() => file.Dispose();

    private void Line(string kind, Action<Utf8JsonWriter> write)
    {
        using var line = new MemoryStream();
        using (var writer = new Utf8JsonWriter(line, Writing))
        {
            writer.WriteStartObject();
            writer.WriteString("at", DateTimeOffset.UtcNow);
            writer.WriteString("kind", kind);
            write(writer);
            writer.WriteEndObject();
        }
        line.WriteByte((byte)'\n');
        file.Write(line.GetBuffer(), 0, (int)line.Length);
        file.Flush();
    }

    private static FileStream Create(string folder)
    {
        Directory.CreateDirectory(folder);
        return new FileStream(Path.Combine(folder, $"{DateTime.UtcNow:yyyyMMdd-HHmmss}-{Guid.NewGuid():N}.jsonl"), FileMode.CreateNew, FileAccess.Write, FileShare.Read);
    }
}
