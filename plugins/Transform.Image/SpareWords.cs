using System.Text.RegularExpressions;
using PluginHost.Sdk;

namespace Transform.Image;

/// <summary>Words at which a picture is left as it is, because what is said or asked of it would no longer be true.</summary>
internal sealed class SpareWords
{
    /// <summary>Sides; untrue in a mirror.</summary>
    public static readonly string[] Sides = ["left", "right", "gauche", "droite", "左", "右"];

    /// <summary>Heights; untrue upside down.</summary>
    public static readonly string[] Heights = ["above", "below", "over", "under", "upper", "lower", "top", "bottom", "haut", "bas", "dessus", "dessous", "上", "下"];

    /// <summary>Questions for a number, untrue where a part is missing.</summary>
    public static readonly string[] Counts = ["how many", "count", "number of", "combien", "多少", "几"];

    /// <summary>Colours.</summary>
    public static readonly string[] Colours =
    [
        "colour", "color", "red", "green", "blue", "yellow", "orange", "purple", "violet", "pink", "brown", "cyan", "magenta", "turquoise",
        "couleur", "rouge", "vert", "verte", "bleu", "bleue", "jaune", "brun", "brune", "rose", "颜色", "红", "绿", "蓝", "黄", "橙", "紫", "粉", "棕", "青",
    ];

    private readonly Regex? words;

    /// <param name="words">Whole words for scripts that separate them, any place for the others; none: nothing is spared.</param>
    public SpareWords(IEnumerable<string> words)
    {
        var patterns = words.Select(word => word.Any(letter => letter >= '\u2e80') ? Regex.Escape(word) : $@"\b{Regex.Escape(word)}\b").ToArray();
        if (patterns.Length > 0) this.words = new Regex(string.Join('|', patterns), RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
    }

    /// <summary>Whether a text or a turn of the sample has one of the words.</summary>
    public bool AreIn(Sample sample) => words is not null
        && (sample.Texts.Values.Any(words.IsMatch) || sample.Turns.Any(turn => words.IsMatch(turn.Prompt) || words.IsMatch(turn.Answer)));
}
