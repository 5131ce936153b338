using PluginHost.Runs.Decoding;
using PluginHost.Sdk;

namespace PluginHost.Runs.Tests.Decoding;

/// <summary>An engine whose logits are a function of a sequence's tokens and fusion; it refuses whatever the interface does not allow.</summary>
internal sealed class FakeEngine(int slots, int length = 400) : IDecodeEngine
{
    private readonly List<int>?[] sequences = new List<int>?[slots];
    private readonly IFusionContext?[] contexts = new IFusionContext?[slots];
    private int users;

    /// <summary>The token that follows tokens for certain; null: any may, the end more often than others.</summary>
    public Func<IReadOnlyList<int>, int>? Next { get; init; }

    /// <summary>Called before each call, with its description; may throw.</summary>
    public Action<string>? Calling { get; set; }

    public List<string> Calls { get; } = [];

    public bool Disposed { get; private set; }

    public int Slots => slots;

    public int Length => length;

    public int Vocabulary => ByteTokenizer.Size;

    public int Used(int slot) => sequences[slot]?.Count ?? 0;

    /// <summary>Slots that have a sequence.</summary>
    public int Begun => sequences.Count(sequence => sequence is not null);

    public void Begin(int slot, IFusionContext? context = null, AdapterSet? adapters = null) => Alone($"begin {slot}", () =>
    {
        if (sequences[slot] is not null) throw new InvalidOperationException($"slot {slot} is not free");
        (sequences[slot], contexts[slot]) = ([], context);
    });

    public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        var read = tokens.ToArray();
        var next = new float[logits.Length];
        Alone($"prefill {slot} {read.Length}", () => Read(slot, read, next));
        next.CopyTo(logits);
    }

    public void Step(ReadOnlySpan<int> slots, ReadOnlySpan<int> tokens, Span<float> logits, Action? between = null)
    {
        between?.Invoke();
        if (logits.Length != slots.Length * Vocabulary) throw new InvalidOperationException("the logits have the wrong length");
        var (of, read, next) = (slots.ToArray(), tokens.ToArray(), new float[logits.Length]);
        Alone($"step {string.Join(",", of)}", () =>
        {
            for (var i = 0; i < of.Length; i++) Read(of[i], [read[i]], next.AsSpan(i * Vocabulary, Vocabulary));
        });
        next.CopyTo(logits);
    }

    public void Truncate(int slot, int tokens) => Alone($"truncate {slot} {tokens}", () =>
    {
        if (tokens > Used(slot)) throw new InvalidOperationException($"slot {slot} has {Used(slot)} tokens");
        if (tokens == 0) (sequences[slot], contexts[slot]) = (null, null);
        else sequences[slot]!.RemoveRange(tokens, sequences[slot]!.Count - tokens);
    });

    public void Dispose() => Disposed = true;

    private void Read(int slot, int[] tokens, Span<float> logits)
    {
        var sequence = sequences[slot] ?? throw new InvalidOperationException($"slot {slot} has no sequence");
        sequence.AddRange(tokens);
        if (sequence.Count + (contexts[slot] as FakeFusion)?.Length > length) throw new InvalidOperationException($"slot {slot} is full");
        if (!logits.IsEmpty) Fill(logits, sequence, contexts[slot]);
    }

    private void Fill(Span<float> logits, List<int> sequence, IFusionContext? context)
    {
        if (Next is not null)
        {
            logits[Next(sequence)] = 50;
            return;
        }
        var seed = sequence.Aggregate((context as FakeFusion)?.Number ?? 17, (hash, token) => unchecked(hash * 31 + token));
        var random = new Random(seed);
        for (var i = 0; i < logits.Length; i++) logits[i] = 4 * random.NextSingle();
        logits[ByteTokenizer.End] += 3;
    }

    private void Alone(string call, Action action)
    {
        if (Interlocked.Increment(ref users) != 1) throw new InvalidOperationException("two threads at once");
        try
        {
            Calls.Add(call);
            Calling?.Invoke(call);
            action();
        }
        finally
        {
            Interlocked.Decrement(ref users);
        }
    }
}

/// <summary>A fusion that is a number and the length of a prefix.</summary>
internal sealed record FakeFusion(int Number, int Length = 0) : IFusionContext
{
    public Masked? Prefix { get; } = Length == 0 ? null : new Masked(TorchSharp.torch.zeros(1, Length, 1), TorchSharp.torch.ones(1, Length, dtype: TorchSharp.torch.ScalarType.Bool));
}

/// <summary>A byte is a token, behind the special tokens.</summary>
internal sealed class ByteTokenizer : ITokenizer
{
    public static int End { get; } = IdOf(SpecialTokens.End);

    public static int Size { get; } = SpecialTokens.All.Count + 256;

    public int Vocabulary => Size;

    public static int IdOf(string special) => SpecialTokens.All.ToList().IndexOf(special);

    public static int Byte(int value) => SpecialTokens.All.Count + value;

    public static int[] Ids(string text) => [.. System.Text.Encoding.UTF8.GetBytes(text).Select(value => Byte(value))];

    public IReadOnlyList<int> Encode(string text) => Ids(text);

    public string Decode(IReadOnlyList<int> ids) =>
        System.Text.Encoding.UTF8.GetString([.. ids.Where(id => id >= SpecialTokens.All.Count).Select(id => (byte)(id - SpecialTokens.All.Count))]);

    public int Special(string token) => IdOf(token);

    public string ToJson() => "{}";
}

/// <summary>Prompts and what is said to them.</summary>
internal static class Script
{
    private static readonly int Answer = ByteTokenizer.IdOf(SpecialTokens.Answer);

    /// <summary>A prompt of so many tokens, of one letter.</summary>
    public static int[] Prompt(int tokens, char letter = 'p') => [.. Enumerable.Repeat(ByteTokenizer.Byte(letter), tokens - 1), Answer];

    /// <summary>An engine's next token: the answer to every prompt is a text.</summary>
    public static Func<IReadOnlyList<int>, int> Says(string text)
    {
        var ids = ByteTokenizer.Ids(text);
        return tokens => tokens.Count - tokens.ToList().LastIndexOf(Answer) - 1 is var said && said < ids.Length ? ids[said] : ByteTokenizer.End;
    }

    /// <summary>An answer's pieces and how it ended, once it has.</summary>
    public static async Task<(List<DecodedPiece> Pieces, DecodeOutcome Outcome)> ReadAll(DecodeStream stream)
    {
        var pieces = new List<DecodedPiece>();
        await foreach (var piece in stream.Pieces.ReadAllAsync()) pieces.Add(piece);
        return (pieces, await stream.Outcome);
    }

    public static string Text(this IEnumerable<DecodedPiece> pieces) => string.Concat(pieces.Select(piece => piece.Text));
}
