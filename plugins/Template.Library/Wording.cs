using System.Text;
using System.Text.RegularExpressions;
using PluginHost.Sdk;
using Scriban;
using Scriban.Runtime;

namespace Template.Library;

/// <summary>A wording as text and slots in turn: text 0, slot 0, text 1, ... and a text at the end.</summary>
internal sealed partial class Wording
{
    // Characters of the private use area stand around a slot's number while Scriban evaluates.
    private const char Before = '\uE000';
    private const char After = '\uE001';
    private const string AnswerTag = "<answer>";

    private readonly string[] texts;
    private readonly string[] slots;
    private readonly string answer;
    private readonly IReadOnlyList<string> media;

    private Wording(string[] texts, string[] slots, string answer, IReadOnlyList<string> media) => (this.texts, this.slots, this.answer, this.media) = (texts, slots, answer, media);

    /// <summary>Tags that stand in the text.</summary>
    public IEnumerable<string> Tags => texts.SelectMany(text => Tag().Matches(text)).Select(match => match.Groups[1].Value);

    /// <exception cref="UserErrorException">It is no template, or has slots that the type does not have, or misses one.</exception>
    public static Wording Read(string place, string text, IReadOnlyList<string> media, IReadOnlyList<string> slots, string answer)
    {
        string[] names = [.. media, .. slots];
        var (texts, used) = Cut(Evaluate(place, text, names), names);
        foreach (var name in names.Where(name => used.Count(slot => slot == name) != 1))
            throw new UserErrorException($"{place}: the wording '{text}' has the slot '{name}' {used.Count(slot => slot == name)} times; it is needed once, as {{{{ {name} }}}}");
        // A medium brings its own tags. Values never hold a tag: the tag behind a slot shows where it ends.
        for (var i = 0; i < used.Length; i++)
            if (!media.Contains(used[i]) && !TagFirst().IsMatch(texts[i + 1]) && (i + 1 < used.Length || texts[i + 1].Length > 0) && !(texts[i + 1].Length == 0 && media.Contains(used[i + 1])))
                throw new UserErrorException($"{place}: in the wording '{text}' a tag such as </text> has to follow the slot '{used[i]}', so that a rendered text can be parsed back");
        return new Wording(texts, used, answer, media);
    }

    /// <summary>Fills the slots.</summary>
    /// <param name="values">Escaped values.</param>
    /// <param name="plainAnswer">The answer as it is.</param>
    public RenderedInstruction Render(Func<string, string> values, string plainAnswer)
    {
        var (whole, prompt, places) = (new StringBuilder(texts[0]), new StringBuilder(texts[0]), new List<MediaPlace>());
        var asked = true;
        for (var i = 0; i < slots.Length; i++)
        {
            asked &= slots[i] != answer;
            if (media.Contains(slots[i]))
            {
                whole.Append('<').Append(slots[i]).Append('>').Append(values(slots[i])).Append("</").Append(slots[i]).Append('>');
                if (asked) places.Add(new MediaPlace(prompt.Length, slots[i]));
            }
            else
            {
                whole.Append(values(slots[i]));
                if (asked) prompt.Append(values(slots[i]));
            }
            whole.Append(texts[i + 1]);
            if (asked) prompt.Append(texts[i + 1]);
        }
        // A token of its own begins each answer: the tag would say it again.
        var question = prompt.ToString();
        if (question.EndsWith(AnswerTag, StringComparison.Ordinal)) question = question[..^AnswerTag.Length];
        return new RenderedInstruction(whole.ToString(), question, places, plainAnswer);
    }

    /// <summary>The escaped values of the slots in a rendered text; null when it is another wording's.</summary>
    public Dictionary<string, string>? Parse(string text)
    {
        var pattern = new StringBuilder("\\A").Append(Regex.Escape(texts[0]));
        for (var i = 0; i < slots.Length; i++)
        {
            var tag = media.Contains(slots[i]) ? slots[i] : null;
            pattern.Append(tag is null ? "" : $"<{tag}>").Append($"(?<s{i}>.*?)").Append(tag is null ? "" : $"</{tag}>").Append(Regex.Escape(texts[i + 1]));
        }
        var match = Regex.Match(text, pattern.Append("\\z").ToString(), RegexOptions.Singleline | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        return match.Success ? slots.Select((slot, i) => (slot, match.Groups[$"s{i}"].Value)).ToDictionary(pair => pair.slot, pair => pair.Value) : null;
    }

    private static string Evaluate(string place, string text, string[] names)
    {
        if (text.AsSpan().IndexOfAny(Before, After) >= 0) throw new UserErrorException($"{place}: the wording '{text}' holds a character of the private use area");
        var template = Scriban.Template.Parse(text);
        if (template.HasErrors) throw new UserErrorException($"{place}: the wording '{text}' is no Scriban template: {template.Messages[0].Message}");
        var values = new ScriptObject();
        for (var i = 0; i < names.Length; i++) values[names[i]] = $"{Before}{i}{After}";
        var unknown = new List<string>();
        var context = new TemplateContext(new ScriptObject())
        {
            TryGetVariable = (TemplateContext _, Scriban.Parsing.SourceSpan _, Scriban.Syntax.ScriptVariable variable, out object? value) =>
            {
                unknown.Add(variable.Name);
                value = "";
                return true;
            },
        };
        context.PushGlobal(values);
        try
        {
            var evaluated = template.Render(context);
            return unknown.Count == 0 ? evaluated : throw new UserErrorException($"{place}: the wording '{text}' has an unknown slot '{unknown[0]}'{Nearest.Suggestion(unknown[0], names)}");
        }
        catch (Scriban.Syntax.ScriptRuntimeException error)
        {
            throw new UserErrorException($"{place}: the wording '{text}' cannot be evaluated: {error.OriginalMessage}");
        }
    }

    private static (string[] Texts, string[] Slots) Cut(string evaluated, string[] names)
    {
        var (texts, slots, from) = (new List<string>(), new List<string>(), 0);
        for (var at = evaluated.IndexOf(Before); at >= 0; at = evaluated.IndexOf(Before, from))
        {
            var end = evaluated.IndexOf(After, at);
            texts.Add(evaluated[from..at]);
            slots.Add(names[int.Parse(evaluated.AsSpan(at + 1, end - at - 1), System.Globalization.CultureInfo.InvariantCulture)]);
            from = end + 1;
        }
        return ([.. texts, evaluated[from..]], [.. slots]);
    }

    [GeneratedRegex("</?([a-z0-9_-]+)>")]
    private static partial Regex Tag();

    [GeneratedRegex("^</?[a-z0-9_-]+>")]
    private static partial Regex TagFirst();
}
