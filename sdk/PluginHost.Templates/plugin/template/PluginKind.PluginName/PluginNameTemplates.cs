// One type of instruction: repeat a text. The text is written as JSON, so that no tag typed into it is one and it ends where its quotation mark is.
using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Sdk;

namespace PluginKind.PluginName;

/// <summary>A library of one type.</summary>
[Plugin("plugin-kind.plugin-name", "Words the instruction to repeat a text.")]
public sealed class PluginNameTemplates(PluginNameOptions options) : ITemplatePlugin
{
    /// <inheritdoc/>
    public ITemplateLibrary Open(BuildContext context, string folder) => new Repeating([options.Wording, options.HeldOut]);
}

/// <summary>Settings of <see cref="PluginNameTemplates"/>.</summary>
public sealed record PluginNameOptions(
    [property: Description("How it is asked for in training.")] string Wording = "Repeat",
    [property: Description("How it is asked for in evaluation alone.")] string HeldOut = "Say again");

internal sealed class Repeating(string[] wordings) : ITemplateLibrary
{
    private const string Id = "repeat";
    private static readonly string[] Languages = ["en"];
    private static readonly string[] Slots = ["text", "response"];

    public IReadOnlyList<InstructionType> Types { get; } =
    [
        new InstructionType(Id, "Repeats a text.", [], Slots, "response", new Dictionary<string, InstructionWordings>
        {
            ["en"] = new(1, wordings.Length - 1, new Dictionary<string, string> { ["text"] = "a red circle", ["response"] = "a red circle" }),
        }),
    ];

    public string Fingerprint { get; } = string.Join('\n', wordings);

    public RenderedInstruction Render(Instruction instruction, int phrasing)
    {
        var start = Start(instruction.Type, instruction.Language, phrasing);
        foreach (var name in instruction.Slots.Keys.Except(Slots)) throw new UserErrorException($"template '{Id}' has no slot '{name}'; it has text and response");
        foreach (var name in Slots.Except(instruction.Slots.Keys)) throw new UserErrorException($"template '{Id}' needs a value for its slot '{name}'");
        var (prompt, answer) = ($"{start}{JsonValue.Create(instruction.Slots["text"]).ToJsonString()}: ", instruction.Slots["response"]);
        return new RenderedInstruction(prompt + answer, prompt, [], answer);
    }

    public IReadOnlyDictionary<string, string>? Parse(string type, string language, int phrasing, string text)
    {
        var start = Start(type, language, phrasing);
        var end = text.IndexOf("\": ", StringComparison.Ordinal);
        if (!text.StartsWith(start, StringComparison.Ordinal) || end < start.Length) return null;
        try
        {
            return new Dictionary<string, string> { ["text"] = JsonNode.Parse(text[start.Length..(end + 1)])!.GetValue<string>(), ["response"] = text[(end + 3)..] };
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private string Start(string type, string language, int phrasing)
    {
        if (type != Id) throw new UserErrorException($"there is no template '{type}'; there is {Id}");
        if (!Languages.Contains(language)) throw new UserErrorException($"template '{Id}' has no language '{language}'; it has {string.Join(", ", Languages)}");
        if (phrasing < 0 || phrasing >= wordings.Length) throw new UserErrorException($"template '{Id}' has no phrasing {phrasing}; it has 0 to {wordings.Length - 1}");
        return $"{wordings[phrasing]} ";
    }
}
