using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace PluginHost.Runs.Chat;

/// <summary>
/// Takes calls of functions out of a growing text: <c>&lt;tool_call&gt;</c>, a JSON object with a name and arguments, <c>&lt;/tool_call&gt;</c>. What may be the beginning of one is held back;
/// what turns out to be none stays text, letter for letter. Blanks around a call are dropped.
/// </summary>
public sealed class CallReader
{
    private static readonly JsonDocumentOptions Reading = new() { AllowDuplicateProperties = false };

    private readonly List<AIContent> found = [];
    private string held = "";
    private int searched;   // letters of an open call in which no end has been found
    private string blanks = ""; // behind the last text; dropped if a call follows
    private bool called;    // whether nothing but blanks has come since the last call

    /// <summary>Calls so far.</summary>
    public int Calls { get; private set; }

    /// <summary>Texts and calls of a whole text, in order.</summary>
    public static IReadOnlyList<AIContent> ReadAll(string text)
    {
        var reader = new CallReader();
        return [.. reader.Add(text), .. reader.Flush()];
    }

    /// <summary>Adds text; returns what is certain now, in order.</summary>
    public IReadOnlyList<AIContent> Add(string text)
    {
        held += text;
        found.Clear();
        Read(ended: false);
        return [.. found];
    }

    /// <summary>What was held back: no more text comes.</summary>
    public IReadOnlyList<AIContent> Flush()
    {
        found.Clear();
        Read(ended: true);
        if (blanks.Length > 0 && !called) found.Add(new TextContent(blanks));
        blanks = "";
        return [.. found];
    }

    private void Read(bool ended)
    {
        while (held.Length > 0)
        {
            var begin = held.IndexOf(CallText.Begin, StringComparison.Ordinal);
            if (begin < 0)
            {
                Say(ended ? held.Length : held.Length - Beginning());
                return;
            }
            if (begin > 0) Say(begin);
            else if (!ReadCall(ended)) return;
        }
    }

    // False: its end is still to come.
    private bool ReadCall(bool ended)
    {
        for (var from = Math.Max(CallText.Begin.Length, searched); ;)
        {
            var end = held.IndexOf(CallText.End, from, StringComparison.Ordinal);
            if (end < 0)
            {
                searched = Math.Max(CallText.Begin.Length, held.Length - CallText.End.Length + 1);
                if (ended) Say(CallText.Begin.Length); // what is behind its beginning may hold a whole call
                return ended;
            }
            var content = held.AsSpan(CallText.Begin.Length, end - CallText.Begin.Length);
            if (Call(content) is { } call)
            {
                (blanks, called) = ("", true);
                Calls++;
                found.Add(call);
                Cut(end + CallText.End.Length);
                return true;
            }
            if (!BreaksOff(content))
            {
                Say(CallText.Begin.Length);
                return true;
            }
            from = end + CallText.End.Length; // the mark is within a string of the call's
        }
    }

    private static FunctionCallContent? Call(ReadOnlySpan<char> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json.ToString(), Reading);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String || name.GetString() is not { Length: > 0 } called) return null;
            var arguments = new Dictionary<string, object?>();
            if (root.TryGetProperty("arguments", out var given) && given.ValueKind != JsonValueKind.Null)
            {
                if (given.ValueKind != JsonValueKind.Object) return null;
                foreach (var member in given.EnumerateObject()) arguments[member.Name] = member.Value.Clone();
            }
            return new FunctionCallContent($"call_{Guid.NewGuid():N}", called, arguments);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null; // InvalidOperation: a text with half of a surrogate pair
        }
    }

    /// <summary>Whether this is JSON that ends in the middle of a string.</summary>
    private static bool BreaksOff(ReadOnlySpan<char> json)
    {
        var bytes = Encoding.UTF8.GetBytes(json.ToString());
        var reader = new Utf8JsonReader(bytes, isFinalBlock: false, default);
        try
        {
            while (reader.Read())
            {
            }
        }
        catch (JsonException)
        {
            return false;
        }
        return bytes.AsSpan((int)reader.BytesConsumed).TrimStart(" \t\r\n,:"u8) is [(byte)'"', ..];
    }

    private void Say(int length)
    {
        var text = blanks + held[..length];
        Cut(length);
        if (called) text = text.TrimStart();
        var said = text.TrimEnd();
        blanks = text[said.Length..];
        if (said.Length == 0) return;
        called = false;
        found.Add(new TextContent(said));
    }

    private void Cut(int length) => (held, searched) = (held[length..], 0);

    // Length of the longest end of the text with which a call begins.
    private int Beginning()
    {
        for (var length = Math.Min(held.Length, CallText.Begin.Length - 1); length > 0; length--)
            if (held.AsSpan(held.Length - length).SequenceEqual(CallText.Begin.AsSpan(0, length))) return length;
        return 0;
    }
}
