using System.Text;
using System.Text.Json;
using Constraint.JsonObject;
using CsCheck;
using PluginHost.Runs.Decoding;
using PluginHost.Runs.Generation;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

public class JsonObjectTests
{
    private static readonly ITokenizer Bpe = new Tokenizer.ByteBpe.ByteBpeTokenizer(new(Vocabulary: 420, MinFrequency: 1)).Train(
        ["{\"name\": \"Zoë\", \"tags\": [\"a\", \"b\"], \"size\": {\"x\": -1.5e3, \"y\": null}}, [[1, 2], [3]]", "{\n  \"ok\": true,\n  \"no\": false\n}", "汉字 \\u00e9 \\n \"}]}, {\"\": [{}]}"],
        Surroundings.Build);

    private static IConstraint Bound(int depth = 4, int blanks = 3) => new JsonObjectConstraint(new(depth, blanks)).Create(new ConstraintContext(Bpe));

    private static bool Accepts(IConstraint constraint, ReadOnlySpan<byte> text, out bool whole)
    {
        var state = constraint.Begin();
        whole = false;
        foreach (var value in text)
        {
            var (token, mask) = (SpecialTokens.All.Count + value, new ulong[(Bpe.Vocabulary + 63) / 64]);
            state.Mask(mask);
            if ((mask[token / 64] >> token % 64 & 1) == 0) return false;
            state.Accept(token);
        }
        whole = state.MayEnd;
        return true;
    }

    /// <summary>Random logits, in favour of what closes: every answer that ends is one JSON object, whichever way its tokens are drawn.</summary>
    [Fact]
    public void Answer_OfRandomLogits_IsOneJsonObject()
    {
        var ended = 0;
        var constraint = Bound();
        Gen.Select(Gen.Int, Gen.Double[0, 2], Gen.Double[0.5, 1], Gen.Double[1, 1.5]).Sample((seed, temperature, topP, penalty) =>
        {
            var random = new Random(seed);
            var request = new DecodeRequest([1], new Sampling(256, temperature, topP, seed)) { Constraint = constraint, RepetitionPenalty = penalty };
            var end = Bpe.Special(SpecialTokens.End);
            var (chooser, scratch) = (new TokenChooser(request, end), new ChoiceScratch(Bpe.Vocabulary + 5));   // a model may have more rows than there are tokens
            var (logits, tokens) = (new float[Bpe.Vocabulary + 5], new List<int>());
            for (var closing = 0f; tokens.Count < 256; closing += 0.05f)
            {
                for (var i = 0; i < logits.Length; i++) logits[i] = 4 * random.NextSingle();
                foreach (var letter in "\"}]:") logits[SpecialTokens.All.Count + letter] += closing;
                var (token, _) = chooser.Choose(logits, scratch);
                if (token == end) break;
                tokens.Add(token);
            }
            if (tokens.Count == 256) return;
            Interlocked.Increment(ref ended);
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. tokens.SelectMany(id => Bpe.Bytes(id).ToArray())]);
            using var json = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 4 });
            Assert.Equal(JsonValueKind.Object, json.RootElement.ValueKind);
        }, iter: 300, threads: 1);
        Assert.True(ended > 200, $"only {ended} answers ended");
    }

    /// <summary>Every object that System.Text.Json writes is taken, byte by byte and as the tokenizer cuts it.</summary>
    [Fact]
    public void Accept_AnyObject_TakesIt()
    {
        var constraint = Bound(depth: 8);
        var leaf = Gen.OneOf<object?>(Gen.String.Select(text => (object?)Valid(text)), Gen.Double[-1e30, 1e30].Select(value => (object?)value), Gen.Int.Select(value => (object?)value), Gen.Bool.Select(value => (object?)value), Gen.Const((object?)null));
        var list = leaf.Array[0, 4].Select(items => (object?)items);
        Gen.Dictionary(Gen.String.Select(Valid), Gen.OneOf(leaf, list, Gen.Dictionary(Gen.String.Select(Valid), list)[0, 3].Select(item => (object?)item)))[0, 5].Sample(item =>
        {
            // Surrogate pairs as they are, not as two escapes.
            var text = JsonSerializer.Serialize(item, Written);
            Assert.True(Accepts(constraint, Encoding.UTF8.GetBytes(text), out var whole) && whole, text);
            var state = constraint.Begin();
            foreach (var token in Bpe.Encode(text)) state.Accept(token);
            Assert.True(state.MayEnd, text);
        }, iter: 300, threads: 1);
    }

    private static readonly JsonSerializerOptions Written = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.Create(System.Text.Unicode.UnicodeRanges.All) };

    // Planes beyond the first are always written as two escapes there.
    private static string Valid(string text) => string.Concat(text.Where(letter => !char.IsSurrogate(letter)));

    /// <summary>A byte is taken exactly if some object of JSON goes on with it, by the reader of System.Text.Json.</summary>
    [Theory]
    [InlineData("{\"a\":1}")]
    [InlineData(" {\"\\u00e9\\n\": [ -0.5e+10 , 0, {} , []\n] }")]
    [InlineData("{\"é汉😀\":{\"b\":[true,false,null,\"\\\\\"]}}")]
    public void Accept_ChangedByte_AgreesWithTheReader(string text)
    {
        var constraint = Bound(depth: 8);
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.True(Accepts(constraint, bytes, out var whole) && whole);
        for (var at = 0; at < bytes.Length; at++)
            for (var value = 0; value < 256; value++)
            {
                var changed = bytes[..(at + 1)];
                changed[at] = (byte)value;
                if (Accepts(constraint, changed, out _) != Begins(changed)) Assert.Fail($"byte {value:X2} at {at} of {text}: the reader says {Begins(changed)}");
            }
    }

    // The reader checks the bytes of strings only when they are read.
    private static bool Begins(byte[] bytes)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes, isFinalBlock: false, default);
            var first = true;
            while (reader.Read())
            {
                if (first && reader.TokenType != JsonTokenType.StartObject) return false;
                first = false;
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) _ = reader.GetString();
                if (reader.CurrentDepth == 0 && reader.TokenType == JsonTokenType.EndObject) return reader.BytesConsumed == bytes.Length;
            }
            return (!first || bytes.AsSpan().Trim(" \n\r\t"u8).Length == 0) && PartOfText(bytes);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    // What is cut within a string may be cut within a character.
    private static bool PartOfText(byte[] bytes)
    {
        var decoder = new UTF8Encoding(false, throwOnInvalidBytes: true).GetDecoder();
        try
        {
            decoder.GetCharCount(bytes, flush: false);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("1")]
    [InlineData("{\"a\":1}x")]
    [InlineData("{\"a\":1} ")]
    [InlineData("{\"a\":01}")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{\"a\":[1}}")]
    [InlineData("{\"a\":\"\\ud83d\"}")]
    [InlineData("{    \"a\":1}")]                        // four blanks
    [InlineData("{\"a\":{\"b\":{\"c\":{\"d\":{}}}}}")]    // five deep
    public void Accept_WhatIsNoObjectOrBeyondABound_Refuses(string text) => Assert.False(Accepts(Bound(depth: 4, blanks: 3), Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void Create_TokenizerWithoutBraces_IsRefused() => Assert.Contains(
        "no token for '{' alone", Assert.Throws<UserErrorException>(() => new JsonObjectConstraint(new()).Create(new ConstraintContext(new Letters()))).Message, StringComparison.Ordinal);

    private sealed class Letters : ITokenizer
    {
        public int Vocabulary => 26;

        public IReadOnlyList<int> Encode(string text) => [.. text.Select(letter => letter - 'a')];

        public string Decode(IReadOnlyList<int> ids) => string.Concat(ids.Select(id => (char)('a' + id)));

        public int Special(string token) => -1;

        public string ToJson() => "{}";
    }
}
