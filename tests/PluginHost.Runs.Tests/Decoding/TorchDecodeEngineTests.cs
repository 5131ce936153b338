using PluginHost.Runs.Decoding;
using PluginHost.Runs.Generation;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Tests.Decoding;

[Collection("torch")]
public sealed class TorchDecodeEngineTests : IDisposable
{
    private const double Rounding = 1e-4;
    private static readonly int[] Prompt = [3, 7, 11, 5, 30, 2, 9];
    private static readonly int[] Answer = [4, 8, 15, 16];

    private readonly DisposeScope scope = NewDisposeScope();
    private readonly SmallDecoder decoder;
    private readonly SmallFusion fusion;
    private readonly TorchDecodeEngine engine;

    public TorchDecodeEngineTests()
    {
        random.manual_seed(11);
        (decoder, fusion) = (new SmallDecoder(), new SmallFusion(3));
        engine = new TorchDecodeEngine(decoder, slots: 3, length: 24, SmallDecoder.Vocabulary, CPU);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PrefillAndStep_AnyPieces_GiveTheLogitsOfTheGeneratorsPath(bool fused)
    {
        IFusionContext? context = fused ? fusion : null;
        var expected = Generated(context);

        engine.Begin(1, context);
        engine.Prefill(1, Prompt.AsSpan(0, 4), []);
        var actual = new List<float[]> { Prefill(1, Prompt[4..]) };
        foreach (var token in Answer) actual.Add(Step([1], [token]));

        for (var i = 0; i < expected.Count; i++) Same(expected[i], actual[i]);
        Assert.Equal(Prompt.Length + Answer.Length, engine.Used(1));
    }

    [Fact]
    public void Step_SeveralSequences_IsEachOneAlone()
    {
        foreach (var (slot, context, first) in new (int, IFusionContext?, int)[] { (0, null, 1), (1, fusion, 2), (2, null, 3) })
        {
            engine.Begin(slot, context);
            engine.Prefill(slot, Prompt.AsSpan(0, first + 2), []);
        }

        var together = Step([2, 0, 1], [6, 5, 4]);

        foreach (var (row, context, tokens) in new (int, IFusionContext?, int[])[] { (0, null, [.. Prompt[..5], 6]), (1, null, [.. Prompt[..3], 5]), (2, fusion, [.. Prompt[..4], 4]) })
            Same(Uncached(tokens, context), together[(row * SmallDecoder.Vocabulary)..((row + 1) * SmallDecoder.Vocabulary)]);
    }

    [Fact]
    public void Truncate_ThenOtherTokens_IsAsIfTheFormerHadNeverBeen()
    {
        engine.Begin(0, fusion);
        engine.Prefill(0, Prompt, []);

        engine.Truncate(0, 3);
        Assert.Equal(3, engine.Used(0));
        Same(Uncached([.. Prompt[..3], 20, 21], fusion), Prefill(0, [20, 21]));

        engine.Truncate(0, 0);
        engine.Begin(0, null);
        Same(Uncached([20, 21], null), Prefill(0, [20, 21]));
    }

    [Fact]
    public void Call_NotAllowed_SaysWhy()
    {
        void Refuses(string why, Action call) => Assert.Contains(why, Assert.Throws<InvalidOperationException>(call).Message);

        Refuses("Slot 0 has no sequence", () => engine.Prefill(0, [1], []));
        engine.Begin(0, fusion);
        Refuses("Slot 0 has a sequence already", () => engine.Begin(0, null));
        Refuses("Token 40 is not an id of this vocabulary of 40", () => engine.Prefill(0, [40], []));
        engine.Prefill(0, new int[20], []);
        Refuses("slot 0 has 1 left, and 2 tokens do not fit", () => engine.Prefill(0, [1, 2], []));
        Refuses("prefix has 24 positions", () => engine.Begin(1, new SmallFusion(24)));
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.Truncate(0, 21));
    }

    [Fact]
    public void Step_Adapters_AreInForce()
    {
        var set = new AdapterSet(new Dictionary<Projection, IProjectionAdapter> { [decoder.Projections[0]] = new Doubling() }, new Dictionary<KeyValueSlot, KeyValues>());
        engine.Begin(0, adapters: set);
        var logits = new float[SmallDecoder.Vocabulary];
        engine.Prefill(0, Prompt, logits);

        using (AdapterSet.Use(set)) Same(Uncached(Prompt, null), logits);
        Assert.NotEqual(Uncached(Prompt, null)[0], logits[0], Rounding);
    }

    [Fact]
    public async Task ContinuousBatch_OverARealDecoder_AnswersAsTheLogitsSay()
    {
        var expected = new List<int>();
        for (var i = 0; i < 6; i++) expected.Add(Array.IndexOf(Uncached([.. Prompt, .. expected], fusion) is var logits ? logits : [], logits.Max()));
        Assert.DoesNotContain(ByteTokenizer.End, expected);
        Assert.True(expected.Distinct().Count() > 2, "an answer of one token says little");
        using var batch = new ContinuousBatch(new TorchDecodeEngine(decoder, 2, 24, SmallDecoder.Vocabulary, CPU), new ByteTokenizer());

        var streams = Enumerable.Range(0, 5).Select(i => batch.TryStart(new DecodeRequest(Prompt, new Sampling(6)) { Context = i < 3 ? fusion : null })!).ToList();

        var answers = new List<int[]>();
        foreach (var stream in streams) answers.Add([.. (await Script.ReadAll(stream)).Pieces.Where(piece => piece.Token is not null).Select(piece => piece.Token!.Value)]);
        Assert.All(answers.Take(3), answer => Assert.Equal(expected, answer));
        Assert.All(answers.Skip(3), answer => Assert.NotEqual(expected, answer));
    }

    public void Dispose()
    {
        engine.Dispose();
        decoder.Dispose();
        scope.Dispose();
    }

    // The prompt at once, then token by token over a cache.
    private List<float[]> Generated(IFusionContext? context)
    {
        using var _ = no_grad();
        using var cache = decoder.CreateCache(1, 24);
        var logits = new List<float[]> { Last(decoder.Forward(Text(Prompt), context, cache)) };
        foreach (var token in Answer) logits.Add(Last(decoder.Forward(Text([token]), context, cache)));
        return logits;
    }

    private float[] Uncached(int[] tokens, IFusionContext? context)
    {
        using var _ = no_grad();
        return Last(decoder.Forward(Text(tokens), context, null));
    }

    private float[] Prefill(int slot, int[] tokens)
    {
        var logits = new float[SmallDecoder.Vocabulary];
        engine.Prefill(slot, tokens, logits);
        return logits;
    }

    private float[] Step(int[] slots, int[] tokens)
    {
        var logits = new float[slots.Length * SmallDecoder.Vocabulary];
        engine.Step(slots, tokens, logits);
        return logits;
    }

    private static void Same(float[] expected, float[] actual) => Assert.Equal(expected, actual, (x, y) => Math.Abs(x - y) < Rounding);

    private static float[] Last(Tensor logits) => logits[0, -1].data<float>().ToArray();

    private static TextBatch Text(int[] tokens)
    {
        var ids = tensor([.. tokens.Select(token => (long)token)], [1, tokens.Length]);
        return new TextBatch(ids, ones_like(ids, dtype: ScalarType.Bool), ones_like(ids), arange(tokens.Length).unsqueeze(0), full_like(ids, TextBatch.Ignore), zeros_like(ids, dtype: float32));
    }

    private sealed class Doubling : IProjectionAdapter
    {
        public Tensor Delta(Tensor input) => input * 2;
    }
}
