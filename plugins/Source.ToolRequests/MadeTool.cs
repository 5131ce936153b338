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

    private static readonly string[] Onsets = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "gl", "pl", "st", "tr", "sk", "fl", "ch", "sh"];
    private static readonly string[] Vowels = ["a", "e", "i", "o", "u", "ai", "oo"];
    private static readonly string[] Codas = ["", "", "n", "r", "l", "t", "k", "m", "x", "p"];
    private static readonly string[] Names = ["{v}_{n}", "{v}_{n}", "{v}_the_{n}", "{n}_{v}", "{v}"];
    private static readonly string[] Descriptions = ["{v} the {n}", "{v} a {n}", "to {v} any {n}", "will {v} the {n}", "can {v} some {n}"];
    private static readonly string[] Wordings = ["{v} {det} {n}", "{v} {det} {n}", "{v} my {n}", "{v} that {n}", "quickly {v} {det} {n}", "{v} {det} old {n}", "{v} {det} {n} over there"];

    private const double Syllables = 0.6;

    public static OfferedTool Draw(Random random)
    {
        var (verb, noun) = (Word(Verbs, random), Word(Nouns, random));
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
    public static string Nonsense(Random random) => string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => Words.Any(Onsets, random) + Words.Any(Vowels, random))) + Words.Any(Codas, random);

    private static string Word(string[] real, Random random) => random.NextDouble() < Syllables ? Nonsense(random) : Words.Any(real, random);
}
