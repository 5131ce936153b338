using PluginHost.Sdk;

namespace Tokenizer.HuggingFace;

/// <summary>
/// Which of a file's tokens are the ones that the host asks for. Published files name them in their own ways; what a file has not, nor anything usual in its
/// place, gets an id behind the file's last.
/// </summary>
internal sealed class SpecialIds
{
    private readonly Dictionary<string, int> ids = [];
    private readonly Dictionary<string, int> tokens;
    private readonly List<(string, int)> appended = [];
    private readonly HashSet<int> added;

    public SpecialIds(TokenizerFile file, HuggingFaceOptions options)
    {
        Limit = options.Vocabulary;
        tokens = new Dictionary<string, int>(file.Vocabulary);
        foreach (var token in file.Added) tokens[token.Content] = token.Id;
        added = [.. file.Added.Select(token => token.Id)];
        Vocabulary = tokens.Values.Max() + 1;
        Line = file.ByteLevel ? "Ċ" : "<0x0A>";
        Choose(SpecialTokens.End, options.End, "</s>", "<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|endoftext|>");
        Choose(SpecialTokens.Begin, options.Begin, "<s>", "<|begin_of_text|>", "<|endoftext|>", "<|im_start|>");
        Choose(SpecialTokens.Pad, options.Pad, "[PAD]", "<|finetune_right_pad_id|>", "<|endoftext|>", "<unk>");
        Choose(SpecialTokens.Answer, options.Answer, Line);
        Choose(SpecialTokens.Image, options.Image, "<|image_pad|>", "<|image|>");
        Choose(SpecialTokens.Audio, options.Audio, "<|audio_pad|>");
        Choose(SpecialTokens.Video, options.Video, "<|video_pad|>");
    }

    /// <summary>How the file spells a line break.</summary>
    private string Line { get; }

    /// <summary>Number of ids, appended ones included.</summary>
    public int Vocabulary { get; private set; }

    /// <summary>Number of ids that the model has.</summary>
    public int Limit { get; }

    /// <summary>Tokens that the file lacks.</summary>
    public IReadOnlyList<(string Content, int Id)> Appended => appended;

    /// <summary>Ids that stand for no text. A line break between prompt and answer does stand for one.</summary>
    public IEnumerable<int> Hidden => ids.Values.Where(id => added.Contains(id) || appended.Any(item => item.Item2 == id));

    /// <summary>How each of the host's special tokens is spelt.</summary>
    public IReadOnlyDictionary<string, string> Spellings =>
        ids.ToDictionary(item => item.Key, item => tokens.FirstOrDefault(token => token.Value == item.Value).Key ?? item.Key);

    public bool Contains(int id) => ids.ContainsValue(id);

    /// <summary>The id of a special token, by the host's name or the file's own.</summary>
    public int Id(string token) => ids.TryGetValue(token, out var id) || tokens.TryGetValue(token, out id) && added.Contains(id)
        ? id
        : throw new ArgumentException($"'{token}' is no special token; there are {string.Join(", ", SpecialTokens.All)}.", nameof(token));

    private void Choose(string name, string? wanted, params string[] usual)
    {
        if (wanted is not null && !tokens.ContainsKey(wanted)) throw new FormatException($"it has no token '{wanted}', which a setting wants in the place of {name}");
        // What is usual counts where the file adds it: among the pieces of words of a large vocabulary there is a "<s>" too.
        var choices = wanted is null ? usual.Where(choice => choice == Line || added.Contains(tokens.GetValueOrDefault(choice, -1))).Prepend(name) : [wanted];
        var end = ids.GetValueOrDefault(SpecialTokens.End, -1);
        // Padding that ended answers would never be learnt as an end.
        var found = choices.FirstOrDefault(choice => tokens.TryGetValue(choice, out var id) && !(name == SpecialTokens.Pad && id == end));
        if (wanted is not null && found is null) throw new FormatException($"a setting wants '{wanted}' both to fill rows and to end answers; name another for one of them");
        ids[name] = found is not null ? tokens[found] : Append(name);
    }

    private int Append(string name)
    {
        appended.Add((name, Vocabulary));
        return Vocabulary++;
    }
}
