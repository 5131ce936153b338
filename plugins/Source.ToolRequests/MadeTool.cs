namespace Source.ToolRequests;

/// <summary>Functions that are made up for a sample: what they are called stands in the request, in other company.</summary>
internal static class MadeTool
{
    // None of these is a word of the functions that training never has.
    private static readonly string[] Verbs =
    [
        "polish", "water", "fold", "open", "close", "wash", "cook", "bake", "read", "write", "find", "hide", "carry", "push", "pull", "lift", "drop", "cut", "mix", "stir", "warm", "cool", "fill",
        "empty", "clean", "mend", "sell", "buy", "order", "book", "send", "call", "wake", "feed", "walk", "train", "test", "check", "weigh", "sort", "stack", "pack", "wrap", "label", "post", "light",
    ];

    private static readonly string[] Nouns =
    [
        "shoes", "plants", "letter", "window", "door", "plate", "soup", "bread", "book", "note", "key", "coin", "box", "cart", "rope", "stone", "ball", "paper", "dough", "tea", "oven", "fridge", "glass",
        "bucket", "floor", "chair", "car", "ticket", "meal", "table", "message", "friend", "baby", "dog", "cat", "horse", "robot", "engine", "battery", "parcel", "cards", "bricks", "bag", "gift", "lamp", "tower",
    ];

    // As English spells: a model that has only seen some letters stand together cannot copy a word in which others do.
    private static readonly string[] Onsets =
    [
        "b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z", "br", "cl", "cr", "dr", "fl", "fr", "gl", "gr", "pl", "pr", "sk", "sl", "sp", "st", "sw", "tr", "ch", "sh", "th", "qu", "",
    ];

    private static readonly string[] Vowels = ["a", "e", "i", "o", "u", "a", "e", "i", "o", "u", "ai", "ea", "ee", "oo", "ou"];

    private static readonly string[] Codas =
    [
        "", "", "", "", "b", "d", "g", "k", "l", "m", "n", "p", "r", "s", "t", "x", "ck", "ct", "ft", "ld", "lt", "mp", "nd", "ng", "nk", "nt", "pt", "rd", "rn", "rt", "sk", "st", "sh", "th", "ce", "ge", "le", "me", "ne", "re",
        "se", "te", "ve",
    ];

    // Words of the functions that training never has: by chance, nonsense could be one.
    private static readonly HashSet<string> Held = [.. SceneTools.Unseen.SelectMany(tool => tool.Names).SelectMany(name => name.Split('_'))];

    private static readonly string[] Names = ["{v}_{n}", "{v}_{n}", "{v}_the_{n}", "{n}_{v}", "{v}"];
    private static readonly string[] Descriptions = ["{v} the {n}", "{v} a {n}", "to {v} any {n}", "will {v} the {n}", "can {v} some {n}"];
    private static readonly string[] Wordings = ["{v} {det} {n}", "{v} {det} {n}", "{v} my {n}", "{v} that {n}", "quickly {v} {det} {n}", "{v} {det} old {n}", "{v} {det} {n} over there"];

    private const double Syllables = 0.6;

    // How often a syllable within a word ends in a consonant.
    private const double Closed = 0.3;

    /// <summary>What a function does, and to what.</summary>
    public static (string Verb, string Noun) Task(Random random) => (Word(Verbs, random), Word(Nouns, random));

    /// <summary>What another function does that is easily taken for it: the same to something else, something else to the same, or what sounds alike.</summary>
    public static (string Verb, string Noun) Near((string Verb, string Noun) task, Random random) => random.Next(3) switch
    {
        0 => task with { Noun = Word(Nouns, random) },
        1 => task with { Verb = Word(Verbs, random) },
        _ => (Rhyme(task.Verb, random), Rhyme(task.Noun, random)),
    };

    /// <summary>A function with some arguments.</summary>
    public static OfferedTool Of((string Verb, string Noun) task, Random random)
    {
        var (verb, noun) = task;
        string Put(string pattern) => pattern.Replace("{v}", verb, StringComparison.Ordinal).Replace("{n}", noun, StringComparison.Ordinal);
        var slots = Words.Slots.ToArray();
        random.Shuffle(slots);
        var taken = slots[..random.Next(0, 3)];
        var told = string.Concat(taken.Select(slot => " " + slot.Phrase));
        return new OfferedTool(
            Put(Words.Any(Names, random)), Put(Words.Any(Descriptions, random)), [.. taken.Select(slot => new Argument(Words.Any(slot.Names, random), slot.Slot))],
            [.. Wordings.Select(wording => Put(wording) + told)], [], Made: true);
    }

    /// <summary>A word that means nothing.</summary>
    public static string Nonsense(Random random) => NotHeld(() =>
    {
        var last = random.Next(3);
        return string.Concat(Enumerable.Range(0, last + 1).Select(i => Words.Any(Onsets, random) + Words.Any(Vowels, random) + (i == last || random.NextDouble() < Closed ? Words.Any(Codas, random) : "")));
    });

    private static string Rhyme(string word, Random random) => NotHeld(() => Words.Any(Onsets, random) + Words.Any(Vowels, random) + word[Math.Min(word.Length - 1, 2)..]);

    private static string NotHeld(Func<string> draw)
    {
        while (true)
            if (draw() is { Length: > 1 } word && !Held.Contains(word)) return word;
    }

    private static string Word(string[] real, Random random) => random.NextDouble() < Syllables ? Nonsense(random) : Words.Any(real, random);
}
