using System.Text;
using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>constraint</c>. It answers at random, in a token for each byte and some longer ones.</summary>
public abstract class ConstraintConformance : PluginConformance
{
    private const int Answers = 20;
    private const int Longest = 60;

    private readonly ITokenizer tokenizer = new Bytes();

    /// <inheritdoc/>
    public override string Kind => "constraint";

    /// <inheritdoc/>
    protected override void UseOnce() => WithConstraint(constraint => Answer(constraint, new Random(1), (_, _) => { }));

    /// <summary>A mask allows exactly the tokens that are taken, each tried on a state of its own with the same tokens before.</summary>
    [Fact]
    public void Mask_AtAnyPlace_AllowsExactlyWhatIsAccepted() => WithConstraint(constraint =>
    {
        for (var seed = 0; seed < 3; seed++)
            Answer(constraint, new Random(seed), (before, allowed) =>
            {
                for (var token = 0; token < tokenizer.Vocabulary; token++)
                {
                    var state = constraint.Begin();
                    foreach (var earlier in before) state.Accept(earlier);
                    if (allowed.Contains(token)) state.Accept(token);
                    else Assert.Throws<InvalidOperationException>(() => state.Accept(token));
                }
            });
    });

    /// <summary>Whatever is chosen of what is allowed, the answer can go on or end.</summary>
    [Fact]
    public void Answer_AnyChoices_GoesOnOrEnds() => WithConstraint(constraint =>
    {
        for (var seed = 0; seed < Answers; seed++) Answer(constraint, new Random(seed), (_, _) => { });
    });

    /// <summary>Special tokens are never in a mask; when an answer may end is said elsewhere.</summary>
    [Fact]
    public void Mask_SpecialTokens_AreNotInIt() => WithConstraint(constraint =>
        Answer(constraint, new Random(2), (_, allowed) => Assert.Empty(allowed.Intersect(SpecialTokens.All.Select(tokenizer.Special)))));

    /// <summary>A mask is written to its last word, and has no token beyond the vocabulary; a token that is refused changes nothing.</summary>
    [Fact]
    public void Mask_WrittenTwice_IsTheSameWhateverWasThere() => WithConstraint(constraint =>
    {
        var state = constraint.Begin();
        var (first, second) = (new ulong[tokenizer.Vocabulary / 64 + 3], new ulong[tokenizer.Vocabulary / 64 + 3]);
        Array.Fill(second, ulong.MaxValue);
        state.Mask(first);
        Assert.Throws<InvalidOperationException>(() => state.Accept(tokenizer.Special(SpecialTokens.Image)));
        state.Mask(second);
        Assert.Equal(first, second);
        Assert.All(Tokens(first), token => Assert.InRange(token, 0, tokenizer.Vocabulary - 1));
    });

    /// <summary>Answers do not know of each other, also on several threads.</summary>
    [Fact]
    public void Begin_SeveralAnswers_AreIndependent() => WithConstraint(constraint =>
    {
        List<int> Chosen(int seed)
        {
            List<int> all = [];
            Answer(constraint, new Random(seed), (before, _) => all = [.. before]);
            return all;
        }
        var alone = Enumerable.Range(0, 8).Select(Chosen).ToArray();
        var together = new List<int>[8];
        Parallel.For(0, 8, seed => together[seed] = Chosen(seed));
        for (var seed = 0; seed < 8; seed++) Assert.Equal<int>(alone[seed], together[seed]);
    });

    // Chooses until the answer may end, or is long enough.
    private void Answer(IConstraint constraint, Random random, Action<IReadOnlyList<int>, IReadOnlyList<int>> look)
    {
        var state = constraint.Begin();
        var mask = new ulong[(tokenizer.Vocabulary + 63) / 64];
        var chosen = new List<int>();
        while (chosen.Count < Longest)
        {
            state.Mask(mask);
            var allowed = Tokens(mask);
            look(chosen, allowed);
            Assert.True(allowed.Count > 0 || state.MayEnd, $"behind '{tokenizer.Decode(chosen)}' nothing may come, and it may not end");
            if (allowed.Count == 0 || (state.MayEnd && random.Next(2) == 0)) return;
            chosen.Add(allowed[random.Next(allowed.Count)]);
            state.Accept(chosen[^1]);
        }
    }

    private void WithConstraint(Action<IConstraint> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var lease = Plugin.Lease(settings);
            check(lease.As<IConstraintPlugin>().Create(new ConstraintContext(tokenizer)));
        }
    }

    private static List<int> Tokens(ulong[] mask) => [.. Enumerable.Range(0, 64 * mask.Length).Where(id => (mask[id / 64] >> id % 64 & 1) == 1)];

    private sealed class Bytes : ITokenizer
    {
        private static readonly string[] Longer = ["{\"", "\":", "\": ", "\",\"", "\"}", "}}", "},", "]}", "[[", "{}", " \n", "  ", "12", ".5", "e+1", "true", "false,", "null}", "the ", " a", "e, ", "\\u", "é", "汉"];
        private static readonly int First = SpecialTokens.All.Count;

        private readonly byte[][] contents = [.. SpecialTokens.All.Select(_ => Array.Empty<byte>()), .. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }), .. Longer.Select(Encoding.UTF8.GetBytes)];

        public int Vocabulary => contents.Length;

        public IReadOnlyList<int> Encode(string text) => [.. Encoding.UTF8.GetBytes(text).Select(value => value + First)];

        public string Decode(IReadOnlyList<int> ids) => Encoding.UTF8.GetString([.. ids.SelectMany(id => contents[id])]);

        ReadOnlyMemory<byte> ITokenizer.Bytes(int id) => contents[id];

        public int Special(string token) => SpecialTokens.All.ToList().IndexOf(token);

        public string ToJson() => "{}";
    }
}
