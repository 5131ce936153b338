using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace PluginHost.Bench;

/// <summary>The numbers of a straight decoder.</summary>
internal sealed record StraightShape(long Vocabulary, long Width, int Layers, long Heads, long KeyValueHeads, long FeedForward, bool TiedHead);

/// <summary>
/// A causal decoder as one writes it straight against TorchSharp, without a host: its modules, attention written out, its AdamW. The
/// arithmetic is that of a decoder of RMSNorm, rotary positions and SwiGLU; what the host's engine does better than this is what it is held against.
/// </summary>
internal sealed class StraightModel : nn.Module<Tensor, Tensor>
{
    private readonly Embedding embedding;
    private readonly ModuleList<StraightBlock> blocks;
    private readonly StraightNorm norm;
    private readonly Linear head;
    private readonly optim.Optimizer optimizer;

    public StraightModel(StraightShape shape, long tokens) : base(nameof(StraightModel))
    {
        var headWidth = shape.Width / shape.Heads;
        using var half = arange(0, headWidth, 2, ScalarType.Float32) / headWidth;
        using var angles = outer(arange(tokens, ScalarType.Float32), pow(10000.0, -half));
        var both = cat([angles, angles], -1);                        // [tokens, head width]
        var hidden = ones(tokens, tokens, dtype: ScalarType.Bool).triu(1);
        embedding = nn.Embedding(shape.Vocabulary, shape.Width);
        blocks = nn.ModuleList(Enumerable.Range(0, shape.Layers).Select(_ => new StraightBlock(shape, both.cos(), both.sin(), hidden)).ToArray());
        norm = new StraightNorm(shape.Width);
        head = nn.Linear(shape.Width, shape.Vocabulary, hasBias: false);
        if (shape.TiedHead) head.weight = embedding.weight!;
        RegisterComponents();
        optimizer = optim.AdamW(parameters().ToArray(), 3e-4, weight_decay: 0.1);
    }

    public override Tensor forward(Tensor ids)
    {
        var x = embedding.forward(ids);                              // [batch, tokens, width]
        foreach (var block in blocks) x = block.forward(x);
        return head.forward(norm.forward(x));                        // [batch, tokens, vocabulary]
    }

    /// <summary>The loss of a batch, and its clipped gradients.</summary>
    /// <param name="ids">[batch, tokens].</param>
    /// <param name="targets">[batch, tokens].</param>
    public void Differentiate(Tensor ids, Tensor targets)
    {
        using var scope = NewDisposeScope();
        optimizer.zero_grad();
        F.cross_entropy(forward(ids).flatten(0, 1), targets.flatten()).backward();
        nn.utils.clip_grad_norm_(parameters(), 1.0);
    }

    /// <summary>The optimizer's step.</summary>
    public void Update() => optimizer.step();

    protected override void Dispose(bool disposing)
    {
        if (disposing) optimizer.Dispose();
        base.Dispose(disposing);
    }
}

internal sealed class StraightNorm : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;

    public StraightNorm(long width) : base(nameof(StraightNorm))
    {
        weight = new Parameter(ones(width));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => x * rsqrt(x.pow(2).mean([-1], keepdim: true) + 1e-6) * weight;
}

internal sealed class StraightBlock : nn.Module<Tensor, Tensor>
{
    private readonly StraightShape shape;
    private readonly long headWidth;
    private readonly Tensor cosine, sine, hidden;
    private readonly StraightNorm attentionNorm, feedForwardNorm;
    private readonly Linear query, key, value, output, gate, up, down;

    public StraightBlock(StraightShape shape, Tensor cosine, Tensor sine, Tensor hidden) : base(nameof(StraightBlock))
    {
        (this.shape, headWidth) = (shape, shape.Width / shape.Heads);
        (this.cosine, this.sine, this.hidden) = (cosine, sine, hidden);
        var keys = shape.KeyValueHeads * headWidth;
        attentionNorm = new StraightNorm(shape.Width);
        feedForwardNorm = new StraightNorm(shape.Width);
        query = nn.Linear(shape.Width, shape.Width, hasBias: false);
        key = nn.Linear(shape.Width, keys, hasBias: false);
        value = nn.Linear(shape.Width, keys, hasBias: false);
        output = nn.Linear(shape.Width, shape.Width, hasBias: false);
        gate = nn.Linear(shape.Width, shape.FeedForward, hasBias: false);
        up = nn.Linear(shape.Width, shape.FeedForward, hasBias: false);
        down = nn.Linear(shape.FeedForward, shape.Width, hasBias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        x = x + output.forward(Attend(attentionNorm.forward(x)));
        var h = feedForwardNorm.forward(x);
        return x + down.forward(F.silu(gate.forward(h)) * up.forward(h));
    }

    private Tensor Attend(Tensor x)
    {
        var (batch, tokens) = (x.shape[0], x.shape[1]);
        Tensor Heads(Tensor projected, long heads) => projected.view(batch, tokens, heads, headWidth).transpose(1, 2);
        var q = Rotate(Heads(query.forward(x), shape.Heads));        // [batch, heads, tokens, head width]
        var k = Rotate(Heads(key.forward(x), shape.KeyValueHeads));
        var v = Heads(value.forward(x), shape.KeyValueHeads);
        if (shape.KeyValueHeads < shape.Heads)
            (k, v) = (k.repeat_interleave(shape.Heads / shape.KeyValueHeads, 1), v.repeat_interleave(shape.Heads / shape.KeyValueHeads, 1));
        var scores = (matmul(q, k.transpose(2, 3)) / Math.Sqrt(headWidth)).masked_fill(hidden, double.NegativeInfinity);
        return matmul(F.softmax(scores, -1), v).transpose(1, 2).reshape(batch, tokens, shape.Width);
    }

    private Tensor Rotate(Tensor x)
    {
        var halves = x.chunk(2, -1);
        return x * cosine + cat([-halves[1], halves[0]], -1) * sine;
    }
}
