using System.Text;
using System.Text.Json;
using CsCheck;
using PluginHost.Data;
using PluginHost.Sdk;
using Source.Scenes;
using Tokenizer.ByteBpe;

namespace Plugins.Data.Tests;

public class TokenizerTests
{
    private static readonly ITokenizer Trained = Train(Corpus(), new ByteBpeOptions());

    private static IReadOnlyList<string> Corpus() => [.. Dataset.Corpus(new ScenesSource(new ScenesOptions()).Open(Surroundings.Source()), 200)];

    private static ITokenizer Train(IEnumerable<string> corpus, ByteBpeOptions options) => new ByteBpeTokenizer(options).Train(corpus, Surroundings.Build);

    [Fact]
    public void AnyText_EncodedAndDecoded_ComesBack() => Gen.String.Sample(text =>
    {
        var valid = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)); // a lone surrogate has no bytes
        var ids = Trained.Encode(text);
        Assert.Equal(valid, Trained.Decode(ids));
        Assert.All(ids, id => Assert.InRange(id, 7, Trained.Vocabulary - 1));
    });

    [Fact]
    public void LoneSurrogate_Encoded_BecomesTheReplacementCharacter() => Assert.Equal("a\ufffdb", Trained.Decode(Trained.Encode("a\ud800b")));

    [Fact]
    public void SpecialTokens_HaveFixedIds_AndDecodeToNothing()
    {
        Assert.Equal(Enumerable.Range(0, 7), SpecialTokens.All.Select(Trained.Special));
        Assert.Equal("", Trained.Decode([0, 1, 2, 3, 4, 5, 6]));
        foreach (var token in SpecialTokens.All) Assert.All(Trained.Encode(token), id => Assert.True(id >= 7));
        Assert.Contains("<pad>", Assert.Throws<ArgumentException>(() => Trained.Special("<mask>")).Message);
    }

    [Fact]
    public void HalfACodePoint_Decoded_BecomesTheReplacementCharacter()
    {
        var bytes = Train([], new ByteBpeOptions()).Encode("汉");
        Assert.Equal(3, bytes.Count);
        Assert.Equal("\ufffd", Train([], new ByteBpeOptions()).Decode([bytes[0]]));
    }

    [Fact]
    public void Vocabulary_LearntFromACorpus_ReachesItsLimitAndShortensTheCorpus()
    {
        Assert.Equal(640, Trained.Vocabulary);
        Assert.Single(Trained.Encode(" circle"));
        Assert.Equal(263, Train(["ab"], new ByteBpeOptions()).Vocabulary); // a pair that occurs once is not merged
    }

    [Fact]
    public void Training_PrefersTheCommonestPair_AndThenTheSmallerIds()
    {
        var tokenizer = Train(["ce", "ce", "cd", "cd", "cd", "ab", "ab", "ab"], new ByteBpeOptions(Vocabulary: 300));
        using var json = JsonDocument.Parse(tokenizer.ToJson());
        var merges = json.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray().Select(merge => $"{merge[0]}{merge[1]}").ToArray();
        Assert.Equal(["ab", "cd", "ce"], merges);
    }

    [Fact]
    public void Training_OfOverlappingPairs_CountsWhatItMerges()
    {
        var tokenizer = Train(["aaaaa", "aaaaa"], new ByteBpeOptions(Vocabulary: 300));
        Assert.Equal("aaaaa", tokenizer.Decode(tokenizer.Encode("aaaaa")));
        Assert.Single(tokenizer.Encode("aaaaa"));
    }

    [Fact]
    public void Json_LoadedAgain_EncodesAlike()
    {
        var loaded = new ByteBpeTokenizer(new ByteBpeOptions()).Load(Trained.ToJson(), Surroundings.Build);
        Assert.Equal(Trained.ToJson(), loaded.ToJson());
        Gen.String.Sample(text => Assert.Equal(Trained.Encode(text), loaded.Encode(text)), iter: 50);
    }

    [Fact]
    public void Json_HasTheLayoutOfHuggingFace()
    {
        using var json = JsonDocument.Parse(Trained.ToJson());
        var root = json.RootElement;
        Assert.Equal("BPE", root.GetProperty("model").GetProperty("type").GetString());
        Assert.Equal(640, root.GetProperty("model").GetProperty("vocab").EnumerateObject().Count());
        Assert.Equal(640 - 263, root.GetProperty("model").GetProperty("merges").GetArrayLength());
        Assert.Equal("ByteLevel", root.GetProperty("pre_tokenizer").GetProperty("type").GetString());
        Assert.Equal("ByteLevel", root.GetProperty("decoder").GetProperty("type").GetString());
        Assert.Equal("<pad>", root.GetProperty("added_tokens")[0].GetProperty("content").GetString());
    }

    [Theory]
    [InlineData("", "no tokenizer of tokenizer.byte-bpe")]
    [InlineData("{}", "no tokenizer of tokenizer.byte-bpe")]
    [InlineData("{\"model\":{\"type\":\"Unigram\"}}", "model.type is not 'BPE'")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"merges\":[\"a\"]}}", "no pair of byte-level tokens")]
    [InlineData("{\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":{}}}", "the id 0")]
    public void Json_ThatIsNoTokenizer_IsRefused(string json, string reason)
    {
        var error = Assert.Throws<UserErrorException>(() => new ByteBpeTokenizer(new ByteBpeOptions()).Load(json, Surroundings.Build));
        Assert.Contains(reason, error.Message);
    }

    [Fact]
    public void Json_OfALargerVocabularyThanTheSetting_IsRefused()
    {
        var error = Assert.Throws<UserErrorException>(() => new ByteBpeTokenizer(new ByteBpeOptions(Vocabulary: 300)).Load(Trained.ToJson(), Surroundings.Build));
        Assert.Contains("640 or more", error.Message);
    }

}
