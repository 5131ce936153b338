using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;
using Tokenizer.HuggingFace.Jinja;

namespace Tokenizer.HuggingFace;

/// <summary>A tokenizer as its file describes it. Special tokens are never found in text; they are put in by who asks for their ids.</summary>
internal sealed class JsonTokenizer : IChatTokenizer
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = true };

    private readonly string json;
    private readonly TokenizerFile file;
    private readonly MergeTable merges;
    private readonly SpecialIds specials;
    private readonly AddedTokenSearch added;
    private readonly AddedTokenSearch marks;  // special ones too: what a chat template writes
    private readonly ChatTemplate? chat;
    private readonly int[] byteTokens;   // by byte; -1 where there is none
    private readonly int unknown;
    private readonly byte[][] contents;  // by id; empty for special tokens and holes
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> vocabulary;
    private readonly WordCache words = new();

    public JsonTokenizer(string json, TokenizerFile file, HuggingFaceOptions options)
    {
        (this.json, this.file) = (json, file);
        var tokens = new Dictionary<string, int>(file.Vocabulary);
        vocabulary = tokens.GetAlternateLookup<ReadOnlySpan<char>>();
        merges = new MergeTable(file.Merges, tokens);
        byteTokens = [.. Enumerable.Range(0, 256).Select(value => tokens.GetValueOrDefault(file.ByteLevel ? ByteAlphabet.Letter(value).ToString() : $"<0x{value:X2}>", -1))];
        unknown = file.Unknown is { } name ? tokens.GetValueOrDefault(name, -1) : -1;
        if (byteTokens.Contains(-1) && (file.ByteLevel || file.ByteFallback)) throw new FormatException($"its vocabulary has no token for the byte {Array.IndexOf(byteTokens, -1)}");
        if (!file.ByteLevel && !file.ByteFallback && unknown < 0) throw new FormatException("its model has neither bytes to fall back on nor a token for unknown characters, so not every text has an encoding");
        specials = new SpecialIds(file, options);
        added = new AddedTokenSearch(file.Added.Where(token => !token.Special && !specials.Contains(token.Id)));
        contents = Contents();
        AddedToken[] appended = [.. specials.Appended.Select(token => new AddedToken(token.Id, token.Content, true, false, false))];
        marks = new AddedTokenSearch([.. file.Added, .. appended]);
        if (options.ChatTemplate is { } template) chat = new ChatTemplate(template, file.Added.Where(token => token.Special || specials.Contains(token.Id)).Concat(appended), specials.Spellings);
    }

    public int Vocabulary => specials.Vocabulary;

    public IReadOnlyList<int> Encode(string text) => Encode(text, added);

    public IReadOnlyList<int>? EncodeChat(IReadOnlyList<ChatMessage> messages, IReadOnlyList<AITool>? tools = null)
    {
        if (chat is null) return null;
        (int Id, int Wanted)[] media = [.. new[] { SpecialTokens.Image, SpecialTokens.Audio, SpecialTokens.Video }
            .Select(token => (Special(token), messages.Sum(message => message.Contents.Count(content => ChatTemplate.Medium(content) == token))))];
        // Templates of multimodal models go through the parts of a content and have tokens of their own around a medium; those of others expect texts.
        bool[] ways = media.Any(item => item.Wanted > 0) ? [true, false] : [false];
        JinjaException? refusal = null;
        foreach (var parts in ways)
            try
            {
                var ids = Encode(chat.Render(messages, tools, parts), marks);
                if (media.All(item => ids.Count(id => id == item.Id) == item.Wanted)) return ids;
            }
            catch (JinjaException error)
            {
                refusal = error;
            }
        throw new UserErrorException(refusal is null
            ? "The chat template of tokenizer.hugging-face has no place for the media of this conversation: another number of their tokens comes out."
            : $"The chat template of tokenizer.hugging-face refuses the conversation: {refusal.Reason}.");
    }

    private List<int> Encode(string text, AddedTokenSearch search)
    {
        var ids = new List<int>(text.Length / 2 + 4);
        var valid = HasLoneSurrogate(text) ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) : text;  // a lone surrogate has no bytes
        var start = 0;
        while (search.Next(valid, start) is { } found)
        {
            Plain(start, found.Start);
            ids.Add(found.Id);
            start = found.End;
        }
        Plain(start, valid.Length);
        return ids;

        void Plain(int from, int to)
        {
            var section = from == 0 && to == valid.Length ? valid : valid[from..to];
            Section(ReferenceEquals(search, marks) ? ChatTemplate.Unguarded(section) : section, from == 0, ids);
        }
    }

    public string Decode(IReadOnlyList<int> ids)
    {
        var length = 0;
        foreach (var id in ids) length += Content(id).Length;
        var buffer = new byte[length];
        var end = 0;
        foreach (var id in ids)
        {
            var content = Content(id);
            content.CopyTo(buffer, end);
            end += content.Length;
        }
        var text = Encoding.UTF8.GetString(buffer);
        return file.StripsFirstBlank && text.StartsWith(' ') ? text[1..] : text;
    }

    public ReadOnlyMemory<byte> Bytes(int id) => Content(id);

    public int Special(string token) => specials.Id(token);

    public string ToJson()
    {
        if (specials.Appended.Count == 0) return json;
        var root = JsonNode.Parse(json)!;
        if (root["added_tokens"] is not JsonArray list) root["added_tokens"] = list = [];
        foreach (var (content, id) in specials.Appended)
            list.Add(new JsonObject
            {
                ["id"] = id,
                ["content"] = content,
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = true,
            });
        return root.ToJsonString(Readable);
    }

    private void Section(string text, bool first, List<int> ids)
    {
        if (text.Length == 0) return;
        foreach (var step in file.Steps) text = step(text, first);
        if (file.Splitters.Count == 0)
        {
            Word(text, ids);
            return;
        }
        var pieces = new List<Piece>(text.Length / 4 + 4);
        file.Splitters[0].Split(text, new Piece(0, text.Length), pieces);
        for (var i = 1; i < file.Splitters.Count; i++)
        {
            var finer = new List<Piece>(pieces.Count);
            foreach (var piece in pieces) file.Splitters[i].Split(text, piece, finer);
            pieces = finer;
        }
        foreach (var piece in pieces) Word(text.AsSpan(piece.Start, piece.Length), ids);
    }

    private void Word(ReadOnlySpan<char> word, List<int> ids)
    {
        var place = WordCache.Place(word);
        if (place >= 0 && words.Find(word, place) is { } known)
        {
            if (known.Length == 1) ids.Add(known[0]);
            else ids.AddRange(known.AsSpan());
        }
        else
        {
            NewWord(word, place, ids);
        }
    }

    private void NewWord(ReadOnlySpan<char> word, int place, List<int> ids)
    {
        var longest = Encoding.UTF8.GetMaxByteCount(word.Length);
        Span<int> tokens = longest <= 256 ? stackalloc int[256] : new int[longest];
        tokens = tokens[..Cut(word, tokens)];
        ids.AddRange(tokens);
        if (place >= 0) words.Keep(word, place, tokens);
    }

    // Writes the word's tokens; returns how many there are.
    private int Cut(ReadOnlySpan<char> word, Span<int> tokens)
    {
        if (file.IgnoreMerges && Whole(word) is { } whole)
        {
            tokens[0] = whole;
            return 1;
        }
        return merges.Merge(tokens[..(file.ByteLevel ? Spelled(word, tokens) : Characters(word, tokens))]);
    }

    private static bool HasLoneSurrogate(ReadOnlySpan<char> text)
    {
        while (text.IndexOfAnyInRange('\ud800', '\udfff') is >= 0 and var at)
        {
            if (at + 1 == text.Length || !char.IsSurrogatePair(text[at], text[at + 1])) return true;
            text = text[(at + 2)..];
        }
        return false;
    }

    private int? Whole(ReadOnlySpan<char> word)
    {
        if (!file.ByteLevel) return vocabulary.TryGetValue(word, out var plain) ? plain : null;
        var spelled = string.Concat(Encoding.UTF8.GetBytes(word.ToString()).Select(value => ByteAlphabet.Letter(value)));
        return vocabulary.TryGetValue(spelled, out var id) ? id : null;
    }

    private int Spelled(ReadOnlySpan<char> word, Span<int> tokens)
    {
        Span<byte> bytes = word.Length <= 256 ? stackalloc byte[768] : new byte[Encoding.UTF8.GetMaxByteCount(word.Length)];
        var count = Encoding.UTF8.GetBytes(word, bytes);
        for (var i = 0; i < count; i++) tokens[i] = byteTokens[bytes[i]];
        return count;
    }

    private int Characters(ReadOnlySpan<char> word, Span<int> tokens)
    {
        var count = 0;
        Span<byte> bytes = stackalloc byte[4];
        Span<char> letters = stackalloc char[2];
        foreach (var rune in word.EnumerateRunes())
        {
            var length = rune.EncodeToUtf16(letters);
            if (vocabulary.TryGetValue(letters[..length], out var id)) tokens[count++] = id;
            else if (!file.ByteFallback) tokens[count++] = unknown;
            else
                for (int i = 0, end = rune.EncodeToUtf8(bytes); i < end; i++) tokens[count++] = byteTokens[bytes[i]];
        }
        return count;
    }

    private byte[][] Contents()
    {
        var result = new byte[Vocabulary][];
        Array.Fill(result, []);
        var byteIds = byteTokens.Select((id, value) => (id, value)).Where(item => item.id >= 0).ToDictionary(item => item.id, item => (byte)item.value);
        foreach (var (token, id) in file.Vocabulary)
            result[id] = file.ByteLevel ? ByteAlphabet.Bytes(token) : byteIds.TryGetValue(id, out var value) ? [value] : Encoding.UTF8.GetBytes(token.Replace('▁', ' '));
        foreach (var token in file.Added) result[token.Id] = token.Special ? [] : Encoding.UTF8.GetBytes(token.Content);
        foreach (var id in specials.Hidden) result[id] = [];
        if (unknown >= 0) result[unknown] = [];
        return result;
    }

    private byte[] Content(int id)
    {
        if ((uint)id < (uint)contents.Length) return contents[id];
        // Rows of the model's embedding behind the last token mean nothing.
        return id >= 0 && id < specials.Limit ? [] : throw new ArgumentOutOfRangeException(nameof(id), id, $"Ids lie in 0..{specials.Limit - 1}.");
    }
}
