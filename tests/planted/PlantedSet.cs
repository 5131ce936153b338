using System.Text;
using PluginHost.Sdk;

namespace PluginHost.Planted;

/// <summary>What was done to a sample of the planted set.</summary>
internal enum Plant
{
    /// <summary>Nothing: it is to be kept.</summary>
    None,

    /// <summary>Nothing, but it looks unsafe.</summary>
    FalseFriend,

    /// <summary>A near-copy of an earlier sample.</summary>
    Duplicate,

    /// <summary>An unsafe word was put in, half of them disguised.</summary>
    Unsafe,

    /// <summary>The text is in another language than its key says.</summary>
    WrongLanguage,

    /// <summary>Letters shuffled, keyboard mash, or a broken encoding.</summary>
    Garbled,
}

/// <summary>A sample and what was done to it.</summary>
internal sealed record Planted(Sample Sample, Plant Plant, string Detail);

/// <summary>Real texts with known defects planted among them. The same size and seed give the same set.</summary>
internal sealed class PlantedSet
{
    private const double ChineseShare = 0.3;
    private readonly Random random;
    private readonly Queue<string> english;
    private readonly Queue<string> chinese;
    private readonly List<Planted> samples = [];

    /// <param name="size">Untouched samples; a tenth as many of each defect are planted.</param>
    /// <param name="seed">Decides which texts, and how they are spoilt.</param>
    public PlantedSet(int size, int seed = 1)
    {
        random = new Random(seed);
        english = new Queue<string>(Shuffled(PlantedTexts.Glosses()));
        chinese = new Queue<string>(Shuffled([.. PlantedTexts.Captions("zh_CN").Where(text => text.Length >= 4)]));
        var chineseLeft = (int)(size * ChineseShare * 0.9);
        for (var i = 0; i < size; i++) Add(Plant.None, chineseLeft-- > 0 && chinese.Count > size / 10 ? Zh() : En(), "untouched");
        foreach (var text in PlantedWords.EnglishFriends) Add(Plant.FalseFriend, ("en", text), "English");
        foreach (var text in PlantedWords.ChineseFriends) Add(Plant.FalseFriend, ("zh", text), "Chinese");
        var planted = size / 10;
        for (var i = 0; i < planted; i++) Duplicate(i);
        for (var i = 0; i < planted; i++) Unsafe(i);
        WrongLanguages(planted);
        for (var i = 0; i < planted; i++) Garble(i);
        samples = Shuffled(samples);
    }

    /// <summary>The set in the order in which a host would see it.</summary>
    public IReadOnlyList<Planted> Samples => samples;

    private (string Language, string Text) En() => ("en", english.Dequeue());

    private (string Language, string Text) Zh() => ("zh", chinese.Dequeue());

    private void Add(Plant plant, (string Language, string Text) text, string detail) =>
        samples.Add(new Planted(new Sample($"{plant}-{samples.Count}") { Texts = new Dictionary<string, string> { [text.Language] = text.Text } }, plant, detail));

    private void Duplicate(int number)
    {
        var (language, text) = samples[number * 7 % (samples.Count / 2)].Sample.Texts.First();
        var stop = language == "zh" ? "。" : ".";
        var (copy, detail) = (number % 5) switch
        {
            1 => (text.TrimEnd('.', '。') + stop, "full stop"),
            2 => (text.ToUpperInvariant(), "capitals"),
            3 => (text.Replace(" ", "  ") + " !", "spaces and a sign"),
            4 => (string.Concat(text.Select(letter => letter is > '!' and <= '~' ? (char)(letter + 0xFEE0) : letter)), "full width"),
            _ => (text, "copy"),
        };
        Add(Plant.Duplicate, (language, copy), detail);
    }

    private void Unsafe(int number)
    {
        if (number % 5 == 4 && chinese.Count > 0)
        {
            var word = PlantedWords.Chinese[number / 5 % PlantedWords.Chinese.Count];
            var hidden = number % 2 == 0 ? word : string.Join(number % 4 == 1 ? " " : "*", word.ToCharArray());
            Add(Plant.Unsafe, ("zh", "这是" + hidden + "，" + chinese.Dequeue()), "Chinese" + (hidden == word ? "" : ", apart"));
            return;
        }
        var plain = PlantedWords.English[number % PlantedWords.English.Count];
        var (disguise, spoken) = Disguise(plain, number / PlantedWords.English.Count);
        var words = english.Dequeue().Split(' ').ToList();
        words.Insert(random.Next(words.Count + 1), spoken);
        Add(Plant.Unsafe, ("en", string.Join(' ', words)), disguise);
    }

    private (string Name, string Text) Disguise(string word, int number) => (number % 6) switch
    {
        0 => ("plain", word),
        1 => ("leetspeak", Replace(word, "oieast", "013457")),
        2 => ("look-alikes", Replace(word, "aceopxy", "асеорху")),
        3 => ("full width", string.Concat(word.Select(letter => (char)(letter + 0xFEE0)))),
        4 => ("apart", string.Join(number % 12 < 6 ? ' ' : '.', word.ToUpperInvariant().ToCharArray())),
        _ => ("stretched", word[..1] + new string(word[1], random.Next(3, 6)) + word[2..]),
    };

    // One or two letters, as people do; the first letter that can be is replaced always.
    private string Replace(string word, string from, string to)
    {
        var replaced = new StringBuilder(word);
        for (int i = 0, done = 0; i < word.Length && done < 2; i++)
            if (from.IndexOf(word[i]) is var at and >= 0 && (done == 0 || random.Next(2) == 0)) (replaced[i], done) = (to[at], done + 1);
        return replaced.ToString();
    }

    private void WrongLanguages(int count)
    {
        string[] others = ["de", "fr", "es", "it", "nl", "ru", "zh_CN"];
        var foreign = others.ToDictionary(language => language,
            language => new Queue<string>(Shuffled([.. PlantedTexts.Captions(language).Where(text => text.Count(char.IsLetter) >= (language == "zh_CN" ? 4 : 16))])));
        for (var i = 0; i < count; i++)
        {
            var language = others[i % others.Length];
            if (i % 4 == 3) Add(Plant.WrongLanguage, ("zh", english.Dequeue()), "en for zh");
            else Add(Plant.WrongLanguage, ("en", foreign[language].Dequeue()), language + " for en");
        }
    }

    private void Garble(int number)
    {
        var source = number % 4 == 3 && chinese.Count > 0 ? Zh() : En();
        var (name, text) = (number % 3) switch
        {
            0 when source.Language == "en" => ("letters shuffled", string.Join(' ', source.Text.Split(' ').Select(word => string.Concat(Shuffled([.. word]))))),
            0 => ("characters shuffled", string.Concat(Shuffled([.. source.Text]))),
            1 => ("keyboard mash", string.Join(' ', source.Text.Split(' ').Select(word => string.Concat(word.SelectMany(letter => letter < 0x3000 ? "x" : "xx").Select(_ => "asdfjklghqwertyuiopzxcvbnm"[random.Next(26)]))))),
            _ => ("mojibake", Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(source.Language == "zh" ? source.Text : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(Accented(source.Text)))))),
        };
        Add(Plant.Garbled, (source.Language, text), $"{name}, {source.Language}");
    }

    // English has nothing to break: quotation marks and dashes as word processors write them.
    private static string Accented(string text) => "“" + text.Replace(" ", " — ") + "”";

    private List<T> Shuffled<T>(IReadOnlyList<T> items)
    {
        T[] shuffled = [.. items];
        random.Shuffle(shuffled);
        return [.. shuffled];
    }
}
