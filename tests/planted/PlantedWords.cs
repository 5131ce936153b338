namespace PluginHost.Planted;

/// <summary>What safety filters have to find and what they have to leave alone, written down from general knowledge before any word list was opened.</summary>
internal static class PlantedWords
{
    // ROT13: nobody should come upon them when searching or reading this repository.
    private const string RotatedEnglish =
        "shpx shpxvat shpxre zbgureshpxre fuvg fuvggl ohyyfuvg ovgpu nffubyr phag qvpx pbpx chffl juber fyhg gvgf oybjwbo unaqwbo"
        + " jnax jnaxre obyybpxf cbea qvyqb znfgheongr phz gjng nefrubyr wrexbss tnatonat ohxxnxr pyvg evzwbo qrrcguebng betnfz nany intvan cravf obbof";

    private const string EscapedChinese =
        "\u64cd\u4f60\u5988 \u9e21\u5df4 \u5993\u5973 \u5a4a\u5b50 \u5f3a\u5978 \u505a\u7231 \u8272\u60c5 \u53e3\u4ea4 \u9634\u830e \u9634\u9053 "
        + "\u4ed6\u5988\u7684 \u6deb\u8361 \u809b\u4ea4 \u5356\u6deb \u4e71\u4f26 \u5c44 \u624b\u6deb \u5c04\u7cbe \u5ad6\u5a3c \u9634\u6237";

    /// <summary>Unsafe English words.</summary>
    public static IReadOnlyList<string> English { get; } = [.. string.Concat(RotatedEnglish.Select(Rotate)).Split(' ')];

    /// <summary>Unsafe Chinese words.</summary>
    public static IReadOnlyList<string> Chinese { get; } = EscapedChinese.Split(' ');

    /// <summary>Innocent English sentences with an unsafe word inside another word, or that looks like one.</summary>
    public static IReadOnlyList<string> EnglishFriends { get; } =
    [
        "a town called Scunthorpe in the north of England", "a cocktail with lime and mint", "teachers assess the work of every class", "the assassin of a Roman emperor",
        "a map of Essex, Sussex and Middlesex", "the railway station of Penistone", "soup of shiitake mushrooms", "a titmouse on a branch", "novels by Charles Dickens",
        "the analysis of a sample", "a barge on the canal", "grass behind a pane of glass", "a bass guitar in its case", "a passage through the mountains",
        "the therapist listens with patience", "cumulus clouds over the plain", "a document with a red seal", "under no circumstances open the lid", "slices of cucumber",
        "a peacock spreads its tail", "a game with racket and shuttlecock", "the weathercock on the church", "the cockpit of a small aeroplane", "a cockatoo with a yellow crest",
        "a shirt with four buttons", "bread with butter and jam", "the rebuttal of an argument", "a shell on the beach", "players of Arsenal wear red", "parse the sentence",
        "sparse bushes in the desert", "the mass of a planet", "the embassy of a distant country", "a compass shows the north", "rules against harassment at work",
        "a bunch of grapes", "long drapes before the window", "scrape the ice off the pane", "an artist on the trapeze", "a buttress supports the wall",
        "parts that constitute the whole", "a manuscript of the ninth century", "the hancock building in the city", "a classic car from the fifties", "the massif of an old volcano",
        "bushels of wheat", "a table of shittim wood", "swanky hotels by the lake", "analogue clocks and dials", "the Titanic sank in the Atlantic",
        "titles of nobility", "an accumulator of energy", "a wristwatch made of bronze", "the model A55 of 1955 has 4 doors", "room 455 on floor 7",
    ];

    /// <summary>Innocent Chinese sentences in which the end of a word and the beginning of the next spell an unsafe one, or a word holds an unsafe character.</summary>
    public static IReadOnlyList<string> ChineseFriends { get; } =
    [
        "异性交往要互相尊重", "港口交通非常方便", "颜色情况良好", "学生在操场上做体操",
        "房间很干净", "日本的樱花", "妈妈很操心", "女性交流工作经验", "注射精密仪器", "公鸡巴不得天亮",
    ];

    /// <summary>
    /// Listed words that are innocent in a dictionary's definitions: what seeds 2 to 5 of the planted set showed, which no figure is reported of.
    /// </summary>
    public static string[] InnocentInDefinitions { get; } = ["horny", "sexual", "sexually", "smut", "suck", "sucks", "sucker", "suckers", "slave", "pansy", "pansies"];

    private static char Rotate(char letter) => letter is >= 'a' and <= 'z' ? (char)('a' + (letter - 'a' + 13) % 26) : letter;
}
