using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>tokenizer</c>. It learns from the sample's <c>texts</c>.</summary>
public abstract class TokenizerConformance : PluginConformance
{
    private static readonly string[] Odd =
        ["", " ", "a", "\0\n\t \u00a0 \u00ad \u3000", "汉字 and 😀👨‍👩‍👧 naïve\r\n  x", "<image><bos><pad> <eos>", new('x', 20_000)];

    /// <inheritdoc/>
    public override string Kind => "tokenizer";

    /// <summary>Whether any text comes back from its ids as it was; a tokenizer that folds case or drops characters says no.</summary>
    protected virtual bool Lossless => true;

    /// <summary>For a tokenizer that learns nothing: the content of a <c>tokenizer.json</c> that it loads, with all special tokens in it. Null: it learns.</summary>
    protected virtual string? Published => null;

    /// <inheritdoc/>
    protected override void UseOnce() => WithTokenizer((_, tokenizer) => tokenizer.Decode(tokenizer.Encode(Plugin.Sample.Texts[0])));

    /// <summary>The port type of text takes its size from this setting.</summary>
    [Fact]
    public void Options_Vocabulary_IsThere() => Assert.Contains(Plugin.Description.Options, option => option.ClrName == "Vocabulary");

    /// <summary>Every text has ids below the vocabulary, and none of them is special.</summary>
    [Fact]
    public void Encode_AnyText_GivesPlainIds() => WithTokenizer((_, tokenizer) =>
    {
        foreach (var text in Plugin.Sample.Texts.Concat(Odd))
        {
            var ids = tokenizer.Encode(text);
            Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.Vocabulary - 1));
            Assert.Empty(ids.Intersect(SpecialTokens.All.Select(tokenizer.Special)));
            var back = tokenizer.Decode(ids);
            if (Lossless) Assert.Equal(text, back);
            Assert.Equal(ids, tokenizer.Encode(text));
        }
    });

    /// <summary>The bytes of a text's tokens, one after the other, are the text's; a special token has none.</summary>
    [Fact]
    public void Bytes_OfATextsTokens_AreTheTexts() => WithTokenizer((_, tokenizer) =>
    {
        if (!Lossless) return;
        foreach (var text in Plugin.Sample.Texts.Concat(Odd))
            Assert.EndsWith(text, System.Text.Encoding.UTF8.GetString([.. tokenizer.Encode(text).SelectMany(id => tokenizer.Bytes(id).ToArray())]), StringComparison.Ordinal);
        Assert.All(SpecialTokens.All, special => Assert.Equal(0, tokenizer.Bytes(tokenizer.Special(special)).Length));
    });

    /// <summary>Special tokens have ids of their own, fixed where a vocabulary is learnt, and decode to nothing.</summary>
    [Fact]
    public void SpecialTokens_HaveFixedIds_AndDecodeToNothing() => WithTokenizer((_, tokenizer) =>
    {
        int[] ids = [.. SpecialTokens.All.Select(tokenizer.Special)];
        if (Published is null) Assert.Equal(Enumerable.Range(0, SpecialTokens.All.Count), ids);
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.Equal("", tokenizer.Decode(ids));
    });

    /// <summary>The result of training depends on corpus and settings alone, and its size keeps to the setting.</summary>
    [Fact]
    public void Train_Twice_GivesTheSameFileWithinTheVocabulary() => WithTokenizer((plugin, tokenizer) =>
    {
        if (Published is not null) return;
        Assert.Equal(tokenizer.ToJson(), plugin.Train(Plugin.Sample.Texts, Surroundings()).ToJson());
        Assert.Equal(plugin.Train([], Surroundings()).ToJson(), plugin.Train([], Surroundings()).ToJson());
    });

    /// <summary>No tokenizer is larger than its setting says.</summary>
    [Fact]
    public void Train_Vocabulary_KeepsToTheSetting()
    {
        foreach (var settings in Plugin.Uses)
        {
            using var lease = Plugin.Lease(settings);
            Assert.InRange(Make(lease.As<ITokenizerPlugin>()).Vocabulary, SpecialTokens.All.Count, (long)settings["vocabulary"]!);
        }
    }

    /// <summary>Saved and loaded, a tokenizer is the same one.</summary>
    [Fact]
    public void Json_LoadedAgain_EncodesAlike() => WithTokenizer((plugin, tokenizer) =>
    {
        var loaded = plugin.Load(tokenizer.ToJson(), Surroundings());
        Assert.Equal(tokenizer.ToJson(), loaded.ToJson());
        Assert.All(Plugin.Sample.Texts.Concat(Odd), text => Assert.Equal(tokenizer.Encode(text), loaded.Encode(text)));
    });

    /// <summary>A file that is something else is refused with a message for the user.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1, 2]")]
    [InlineData("{\"model\": {\"type\": \"none of these\"}}")]
    public void Json_ThatIsNoTokenizer_IsRefused(string json) => WithTokenizer((plugin, _) =>
        Assert.NotEmpty(Assert.Throws<UserErrorException>(() => plugin.Load(json, Surroundings())).Message));

    /// <summary>Calls from several threads do not disturb each other.</summary>
    [Fact]
    public void Encode_Concurrently_GivesTheSame() => WithTokenizer((_, tokenizer) =>
    {
        var expected = tokenizer.Encode(Plugin.Sample.Texts[0]);
        Parallel.For(0, 32, _ => Assert.Equal(expected, tokenizer.Encode(Plugin.Sample.Texts[0])));
    });

    /// <summary>Training on a corpus without end stops when it is told to.</summary>
    [Fact]
    public void Train_Cancelled_Stops() => WithTokenizer((plugin, _) =>
    {
        if (Published is not null) return;
        using var source = new CancellationTokenSource();
        var given = 0;
        IEnumerable<string> Endless()
        {
            while (given++ < 1_000_000)
            {
                if (given == 100) source.Cancel();
                yield return Plugin.Sample.Texts[given % Plugin.Sample.Texts.Count];
            }
        }
        try
        {
            plugin.Train(Endless(), Surroundings(source.Token));
        }
        catch (OperationCanceledException)
        {
            // as it should; a tokenizer that learns nothing is done before it is told to stop
        }
        Assert.InRange(given, 0, 1000);
    });

    /// <summary>One that learns nothing says so, to whoever asks it to.</summary>
    [Fact]
    public void Train_OfATokenizerThatLearnsNothing_IsRefused() => WithTokenizer((plugin, _) =>
    {
        if (Published is not null) Assert.NotEmpty(Assert.Throws<UserErrorException>(() => plugin.Train(Plugin.Sample.Texts, Surroundings())).Message);
    });

    private ITokenizer Make(ITokenizerPlugin plugin) =>
        Published is { } json ? plugin.Load(json, Surroundings()) : plugin.Train(Plugin.Sample.Texts, Surroundings());

    private void WithTokenizer(Action<ITokenizerPlugin, ITokenizer> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var lease = Plugin.Lease(settings);
            var tokenizer = lease.As<ITokenizerPlugin>();
            check(tokenizer, Make(tokenizer));
        }
    }
}
