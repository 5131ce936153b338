using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;
using Tokenizer.HuggingFace.Jinja;

namespace Tokenizer.HuggingFace;

/// <summary>
/// A published model's chat template with the values that such templates expect: <c>messages</c>, <c>tools</c>, <c>add_generation_prompt</c> and the texts of special
/// tokens. What people have said is guarded: an invisible letter stands in whatever looks like a special token, until the tokens of the template itself are found.
/// </summary>
internal sealed class ChatTemplate
{
    // A character that Unicode keeps out of texts.
    private const char Guard = '\uFDD0';

    private readonly JinjaTemplate template;
    private readonly IReadOnlyDictionary<string, string> names;
    private readonly AddedTokenSearch special;

    /// <param name="text">The template.</param>
    /// <param name="tokens">The special tokens that a text may not contain.</param>
    /// <param name="names">How the file spells the host's special tokens.</param>
    /// <exception cref="JinjaException">It cannot be read.</exception>
    public ChatTemplate(string text, IEnumerable<AddedToken> tokens, IReadOnlyDictionary<string, string> names)
    {
        (template, this.names) = (JinjaTemplate.Parse(text), names);
        special = new AddedTokenSearch(tokens.Select(token => token with { LeftStrip = false, RightStrip = false }));
    }

    /// <summary>What is left of a guarded text.</summary>
    public static string Unguarded(string text) => text.Contains(Guard, StringComparison.Ordinal) ? text.Replace(Guard.ToString(), "", StringComparison.Ordinal) : text;

    /// <summary>The host's token for a content that is no text, <c>&lt;image&gt;</c>; null for other contents.</summary>
    public static string? Medium(AIContent content) => Array.Find([SpecialTokens.Image, SpecialTokens.Audio, SpecialTokens.Video], token => content switch
    {
        DataContent data => data.HasTopLevelMediaType(token[1..^1]),
        UriContent uri => uri.HasTopLevelMediaType(token[1..^1]),
        _ => false,
    });

    /// <summary>The conversation as text, guarded.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="tools">Functions to call.</param>
    /// <param name="parts">Whether contents are lists of parts, as templates of multimodal models expect, or texts with the tokens of media in them.</param>
    /// <exception cref="JinjaException">The template refuses it.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, IReadOnlyList<AITool>? tools, bool parts)
    {
        var values = new Dictionary<string, object?>
        {
            ["messages"] = messages.SelectMany(message => Messages(message, parts)).ToList<object?>(),
            ["tools"] = tools is { Count: > 0 } ? tools.Select(Tool).ToList() : null,
            ["documents"] = null,
            ["add_generation_prompt"] = true,
            ["bos_token"] = names[SpecialTokens.Begin],
            ["eos_token"] = names[SpecialTokens.End],
            ["pad_token"] = names[SpecialTokens.Pad],
        };
        return template.Render(values);
    }

    // A message with results of several calls is one message for each of them.
    private IEnumerable<object?> Messages(ChatMessage message, bool parts)
    {
        foreach (var result in message.Contents.OfType<FunctionResultContent>())
            yield return Map(("role", "tool"), ("content", Guarded(Written(result.Result))), ("tool_call_id", Guarded(result.CallId)));
        var said = message.Contents.Where(content => content is not (FunctionResultContent or FunctionCallContent)).ToArray();
        var calls = message.Contents.OfType<FunctionCallContent>().ToArray();
        if (said.Length == 0 && calls.Length == 0 && message.Contents.Count > 0) yield break;
        var map = Map(("role", message.Role.Value), ("content", parts ? said.Select(Part).ToList() : string.Concat(said.Select(Inline))));
        if (message.AuthorName is { } author) map["name"] = Guarded(author);
        if (calls.Length > 0) map["tool_calls"] = calls.Select(Call).ToList();
        yield return map;
    }

    private object? Part(AIContent content) => Medium(content) is { } token ? Map(("type", token[1..^1])) : Map(("type", "text"), ("text", Guarded(Words(content))));

    private string Inline(AIContent content) => Medium(content) is { } token ? names[token] : Guarded(Words(content));

    private static string Words(AIContent content) => content is TextContent text ? text.Text
        : throw new UserErrorException($"A chat template has no place for a content of type {content.GetType().Name}; there are texts, pictures, sounds, videos, calls of functions and their results.");

    private object? Call(FunctionCallContent call)
    {
        var arguments = new OrderedDictionary<object, object?>();
        foreach (var (name, value) in call.Arguments ?? new Dictionary<string, object?>()) arguments[Guarded(name)] = Value(value);
        return Map(("type", "function"), ("id", Guarded(call.CallId)), ("function", Map(("name", Guarded(call.Name)), ("arguments", arguments))));
    }

    private object? Tool(AITool tool)
    {
        var function = Map(("name", Guarded(tool.Name)), ("description", Guarded(tool.Description)));
        if (tool is AIFunctionDeclaration declaration) function["parameters"] = Value(declaration.JsonSchema);
        return Map(("type", "function"), ("function", function));
    }

    private static OrderedDictionary<object, object?> Map(params ReadOnlySpan<(string Key, object? Value)> entries)
    {
        var result = new OrderedDictionary<object, object?>();
        foreach (var (key, value) in entries) result[key] = value;
        return result;
    }

    private static string Written(object? result) => result switch
    {
        null => "",
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } json => json.GetString()!,
        JsonElement json => json.GetRawText(),
        JsonNode json => json.ToJsonString(),
        IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => result.ToString() ?? "",
    };

    private object? Value(object? value) => value switch
    {
        JsonElement json => Value(json),
        JsonNode node => Value(JsonElement.Parse(node.ToJsonString())),
        bool truth => truth,
        int or long or short or byte => Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture),
        double or float or decimal => Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture),
        null => null,
        _ => Guarded(Written(value)),
    };

    private object? Value(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                var map = new OrderedDictionary<object, object?>();
                foreach (var member in json.EnumerateObject()) map[Guarded(member.Name)] = Value(member.Value);
                return map;
            case JsonValueKind.Array:
                return json.EnumerateArray().Select(Value).ToList();
            case JsonValueKind.String:
                return Guarded(json.GetString()!);
            case JsonValueKind.Number:
                return json.TryGetInt64(out var whole) ? whole : json.GetDouble();
            default:
                return json.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => null };
        }
    }

    private string Guarded(string text)
    {
        text = text.Replace(Guard, '\uFFFD');
        if (special.Next(text, 0) is not { } found) return text;
        var result = new StringBuilder(text.Length + 8);
        var from = 0;
        for (var next = ((int Id, int Start, int End)?)found; next is { } token; next = special.Next(text, from))
        {
            result.Append(text, from, token.Start + 1 - from).Append(Guard);
            from = token.Start + 1;  // another may begin inside of this one
        }
        return result.Append(text, from, text.Length - from).ToString();
    }
}
