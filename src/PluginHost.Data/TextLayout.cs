using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>Tokens that see only each other.</summary>
/// <param name="Ids">Tokens.</param>
/// <param name="FirstTarget">Index of the first token that is to be predicted; the count of tokens or more when there is none.</param>
/// <param name="Weight">Weight of each target.</param>
/// <param name="Needs">What its turn needs.</param>
internal sealed record Segment(IReadOnlyList<int> Ids, int FirstTarget, double Weight, NeededModalities Needs);

/// <summary>Samples that share a row, and the row's segments.</summary>
internal sealed record PackedRow(List<Sample> Samples, List<Segment> Segments)
{
    public int Length => Segments.Sum(segment => segment.Ids.Count);
}

/// <summary>
/// How turns and captions become tokens. A turn is one segment: <c>&lt;bos&gt; [&lt;image&gt;] [&lt;audio&gt;] [&lt;video&gt;] prompt &lt;answer&gt;
/// answer &lt;eos&gt;</c>, a placeholder for each medium of the sample; a tokenizer with a chat template writes what comes before the answer as its model was taught.
/// A caption is <c>&lt;bos&gt; caption &lt;eos&gt;</c>.
/// </summary>
internal sealed class TextLayout(ITokenizer tokenizer, int longest, RejectionLog rejections)
{
    private readonly int begin = tokenizer.Special(SpecialTokens.Begin);
    private readonly int end = tokenizer.Special(SpecialTokens.End);
    private readonly int answer = tokenizer.Special(SpecialTokens.Answer);
    private readonly int image = tokenizer.Special(SpecialTokens.Image);
    private readonly int audio = tokenizer.Special(SpecialTokens.Audio);
    private readonly int video = tokenizer.Special(SpecialTokens.Video);

    public int Pad { get; } = tokenizer.Special(SpecialTokens.Pad);

    /// <summary>
    /// A row for each sample with as many of its turns as fit, whole; a single turn that is too long is cut. Samples without media (and without a
    /// caption, where captions are read: each needs a row of its own) share rows, behind the others, in the first that has room;
    /// where pairs or candidates are read, none does: of a row's candidates only the first question's might fit.
    /// </summary>
    public IReadOnlyList<PackedRow> Rows(IReadOnlyList<Sample> samples, bool captions, bool alone = false)
    {
        var (own, shared) = (new List<PackedRow>(), new List<PackedRow>());
        foreach (var sample in samples)
        {
            var row = new PackedRow([sample], Segments(sample));
            if (alone || sample is not { Image: null, Audio: null, Video: null, Turns.Count: > 0 } || (captions && sample.Texts.Count > 0)) own.Add(row);
            else if (shared.Find(other => other.Length + row.Length <= longest) is not { } room) shared.Add(row);
            else
            {
                room.Samples.AddRange(row.Samples);
                room.Segments.AddRange(row.Segments);
            }
        }
        return [.. own, .. shared];
    }

    private List<Segment> Segments(Sample sample)
    {
        var segments = new List<Segment>();
        foreach (var turn in sample.Turns)
        {
            var (ids, firstTarget) = Turn(sample, turn);
            if (segments.Count == 0 || segments.Sum(segment => segment.Ids.Count) + ids.Count <= longest) segments.Add(new Segment(ids, firstTarget, Weight(sample, turn), Needs(turn)));
        }
        return segments.Count > 0 ? segments : [new Segment(Header(sample), int.MaxValue, 0, NeededModalities.None)];
    }

    /// <summary>
    /// Adds a row of questions with their candidate answers: each candidate a segment, the right one first and labelled 1, the wrong ones 0.
    /// As many questions as fit, whole, and the first in any case.
    /// </summary>
    public void AddCandidates(TextRows rows, Sample sample, IReadOnlyList<CandidateQuestion> questions)
    {
        rows.Begin();
        foreach (var (turn, wrong) in questions)
        {
            var segments = wrong.Prepend(turn.Answer).Select(answer => Turn(sample, Candidate(sample, turn, answer)).Ids).ToList();
            if (rows.Length > 0 && rows.Length + segments.Sum(ids => ids.Count) > longest) continue;
            for (var i = 0; i < segments.Count; i++) rows.AddLabelled(segments[i], i == 0 ? 1 : 0, i == 0 ? Weight(sample, turn) : 0);
        }
        if (rows.Length == 0) rows.Add(Header(sample), int.MaxValue, 0);
    }

    /// <summary>Adds a row of candidate answers to one question, of which nobody says which is right.</summary>
    public void AddCandidates(TextRows rows, Sample sample, Turn question, IReadOnlyList<string> answers)
    {
        rows.Begin();
        foreach (var candidate in answers) rows.AddLabelled(Turn(sample, Candidate(sample, question, candidate)).Ids, 0, 0);
    }

    // Without media a blank before both, as before pairs: there words are compared with words, and a word is the same token at the beginning as anywhere else.
    private static Turn Candidate(Sample sample, Turn question, string answer) => sample is { Image: null, Audio: null, Video: null }
        ? question with { Prompt = " " + question.Prompt, Answer = " " + answer }
        : question with { Answer = answer };

    /// <summary>Adds a turn to the row begun last, with its answer as targets.</summary>
    public void AddTurn(TextRows rows, Sample sample, Turn turn)
    {
        var (ids, firstTarget) = Turn(sample, turn);
        rows.Add(ids, firstTarget, 1);
    }

    /// <summary>Adds a row with a caption; an empty one when there is none.</summary>
    public void AddCaption(TextRows rows, Sample sample, string? caption)
    {
        var ids = new List<int> { begin };
        ids.AddRange(Cut(sample, Tokens(caption ?? ""), longest - 2));
        ids.Add(end);
        rows.Begin();
        rows.Add(ids, int.MaxValue, 0);
    }

    /// <summary>Adds a row with a text and nothing around it; nothing is real in it when there is none.</summary>
    public void AddPlain(TextRows rows, Sample sample, string? text)
    {
        rows.Begin();
        // A blank before it: a word is the same token at the beginning as anywhere else.
        if (!string.IsNullOrEmpty(text)) rows.Add([.. Cut(sample, Tokens(" " + text), longest)], int.MaxValue, 0);
    }

    /// <summary>What a model continues with its answer.</summary>
    public List<int> Prompt(Sample sample, Turn question)
    {
        if (Chat(sample, question, longest) is { } chat) return chat;
        var ids = Header(sample, question.Media);
        ids.AddRange(Cut(sample, Prompt(question, sample), longest - ids.Count - 1));
        ids.Add(answer);
        Check(sample, ids);
        return ids;
    }

    /// <summary>
    /// What a model continues with its next answer in a conversation, whole however long it is. Media contents become the placeholders of the sample's media; without a chat template
    /// the messages' texts follow each other behind the media, as <see cref="PlainTurns"/> has them.
    /// </summary>
    public List<int> Conversation(Sample sample, IReadOnlyList<ChatMessage> messages, IReadOnlyList<AITool>? tools)
    {
        if (tokenizer is IChatTokenizer chat && Ask(chat, messages, tools ?? []) is { } ids) return [.. ids];
        return [.. Header(sample), .. tokenizer.Encode(PlainTurns.Text(messages, tools ?? [])), answer];
    }

    private IReadOnlyList<int>? Ask(IChatTokenizer chat, Sample sample, Turn turn) => Ask(chat, [Message(sample, turn)], turn.Tools);

    // A template that says nothing of functions would leave its model without them.
    private static IReadOnlyList<int>? Ask(IChatTokenizer chat, IReadOnlyList<ChatMessage> messages, IReadOnlyList<AITool> tools)
    {
        var ids = chat.EncodeChat(messages, tools.Count > 0 ? tools : null);
        return ids is not null && tools.Count > 0 && ids.SequenceEqual(chat.EncodeChat(messages) ?? []) ? chat.EncodeChat(PlainTurns.Told(messages, tools)) : ids;
    }

    private (List<int> Ids, int FirstTarget) Turn(Sample sample, Turn turn)
    {
        var reply = Tokens(turn.Answer);
        var ids = Chat(sample, turn, Math.Max(longest / 2, longest - reply.Count - 1));
        if (ids is null)
        {
            ids = Header(sample, turn.Media);
            var prompt = Prompt(turn, sample);
            var room = Math.Max(0, longest - ids.Count - 2);
            ids.AddRange(Cut(sample, prompt, Math.Min(prompt.Count, Math.Max(room / 2, room - reply.Count))));
            ids.Add(answer);
        }
        var firstTarget = ids.Count;
        var said = Math.Min(reply.Count, Math.Max(0, longest - ids.Count - 1));
        ids.AddRange(Cut(sample, reply, said));
        if (said == reply.Count) ids.Add(end); // a cut answer does not end there
        Check(sample, ids);
        return (ids, firstTarget);
    }

    /// <summary>What comes before the answer, as the tokenizer's chat template has it; null where there is none.</summary>
    private List<int>? Chat(Sample sample, Turn turn, int most)
    {
        if (tokenizer is not IChatTokenizer chat || Ask(chat, sample, turn) is not { } ids) return null;
        if (ids.Count > most)
        {
            // The template's own tokens stay: the prompt gives up as many as are too many.
            var prompt = Tokens(turn.Prompt);
            var kept = Cut(sample, prompt, Math.Max(0, prompt.Count - (ids.Count - most)));
            ids = Ask(chat, sample, turn with { Prompt = tokenizer.Decode([.. kept]) })!;
        }
        List<int> opening = [.. ids.Take(most)];
        Check(sample, opening);
        return opening;
    }

    /// <summary>The turn's question as a message: the media that have no place in it first.</summary>
    private ChatMessage Message(Sample sample, Turn turn)
    {
        var contents = new List<AIContent>();
        foreach (var modality in (string[])[Modality.Image, Modality.Audio, Modality.Video])
            if (turn.Media.All(place => place.Modality != modality)) Add(modality);
        var from = 0;
        foreach (var place in turn.Media)
        {
            var to = Math.Clamp(place.At, from, turn.Prompt.Length);
            Say(turn.Prompt[from..to]);
            Add(place.Modality);
            from = to;
        }
        Say(turn.Prompt[from..]);
        return new ChatMessage(ChatRole.User, contents);

        void Add(string modality)
        {
            if (Placeholder(sample, modality) is not null) contents.Add(new UriContent("sample:" + modality, modality + "/*"));
        }

        void Say(string text)
        {
            if (text.Length > 0) contents.Add(new TextContent(text));
        }
    }

    /// <summary>The beginning, with the media that have no place in the prompt.</summary>
    private List<int> Header(Sample sample, IReadOnlyList<MediaPlace>? placed = null)
    {
        var ids = new List<int> { begin };
        foreach (var modality in (string[])[Modality.Image, Modality.Audio, Modality.Video])
            if (Placeholder(sample, modality) is { } token && placed?.Any(place => place.Modality == modality) != true) ids.Add(token);
        return ids;
    }

    /// <summary>The token that stands for a medium; null when the sample has none, or the graph does not use it.</summary>
    private int? Placeholder(Sample sample, string modality) => modality switch
    {
        Modality.Image when sample.Image is not null => image,
        Modality.Audio when sample.Audio is not null => audio,
        Modality.Video when sample.Video is not null => video,
        _ => null,
    };

    /// <summary>The prompt, cut where media are: whatever its text looks like, only these places become placeholders.</summary>
    private IReadOnlyList<int> Prompt(Turn turn, Sample sample)
    {
        var told = CallText.Tools(turn.Tools);
        if (turn.Media.Count == 0) return Tokens(told + turn.Prompt);
        List<int> ids = [.. Tokens(told)];
        var from = 0;
        foreach (var place in turn.Media)
        {
            // A transform may have shortened the prompt.
            var to = Math.Clamp(place.At, from, turn.Prompt.Length);
            ids.AddRange(Tokens(turn.Prompt[from..to]));
            if (Placeholder(sample, place.Modality) is { } token) ids.Add(token);
            from = to;
        }
        ids.AddRange(Tokens(turn.Prompt[from..]));
        return ids;
    }

    /// <summary>Encodes; of a huge text only a beginning that fills the longest row many times over.</summary>
    private IReadOnlyList<int> Tokens(string text)
    {
        const int charactersPerToken = 64;
        var limit = longest * charactersPerToken;
        return tokenizer.Encode(text.Length <= limit ? text : text[..limit]);
    }

    private IEnumerable<int> Cut(Sample sample, IReadOnlyList<int> ids, int count)
    {
        if (ids.Count <= count) return ids;
        rejections.Add(new Rejection(sample.Id, $"cut to {longest} tokens (data.text.length)"));
        return ids.Take(count);
    }

    private void Check(Sample sample, List<int> ids)
    {
        foreach (var (content, token, name, what) in new[] { (sample.Image, image, SpecialTokens.Image, "pictures"), (sample.Audio, audio, SpecialTokens.Audio, "sounds"), (sample.Video, video, SpecialTokens.Video, "videos") })
        {
            var (has, holds) = (content is null ? 0 : 1, ids.Count(id => id == token));
            if (holds < has)
                throw new UserErrorException($"Sample '{sample.Id}' has {has} {what}, and the {longest} tokens of a row hold {holds} of them: its text is too long; raise 'data.text.length', or put the media first.");
            if (has != holds)
                throw new InvalidOperationException(
                    $"Sample '{sample.Id}' has {has} {what}, but its text holds {holds} '{name}' tokens; the tokenizer must encode text that looks like a special token as plain text.");
        }
    }

    /// <summary>The sample's weights of the text and of all that the turn needs.</summary>
    private static double Weight(Sample sample, Turn turn) =>
        turn.Needs.Append(Modality.Text).Distinct().Aggregate(1.0, (weight, modality) => weight * sample.ModalityWeights.GetValueOrDefault(modality, 1));

    private static NeededModalities Needs(Turn turn) => turn.Needs.Aggregate(NeededModalities.None, (needs, modality) => needs | modality switch
    {
        Modality.Image => NeededModalities.Image,
        Modality.Audio => NeededModalities.Audio,
        Modality.Video => NeededModalities.Video,
        _ => NeededModalities.None,
    });
}
