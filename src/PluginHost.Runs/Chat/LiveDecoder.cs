using System.Diagnostics;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Runs.Decoding;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Chat;

/// <summary>
/// Answers prompts over the graph that serves now. A request keeps the version that it came to: one that comes after an exchange meets the new nodes, and where the decoder is
/// among them a new engine, while the old one finishes what it has begun. Safe for concurrent use.
/// </summary>
public sealed class LiveDecoder : IDisposable
{
    private readonly LiveGraph live;
    private readonly Dataset data;
    private readonly EngineConfig options;
    private readonly Action<Exception>? failed;
    private readonly Lock gate = new();
    private readonly FusionCache fusions;
    private Engine? engine;
    private bool disposed;

    /// <summary>Packs the decoder, tries the fusion without media, and begins to answer.</summary>
    /// <param name="live">The graph in use; not disposed.</param>
    /// <param name="data">Makes its batches; not disposed.</param>
    /// <param name="options">How much is answered at once.</param>
    /// <param name="failed">Told of what engine, encoders or tokenizer threw; null: nobody.</param>
    /// <exception cref="UserErrorException">The graph has no decoder, or the project no tokenizer.</exception>
    public LiveDecoder(LiveGraph live, Dataset data, EngineConfig options, Action<Exception>? failed = null)
    {
        (this.live, this.data, this.options, this.failed) = (live, data, options, failed);
        if (live.Plan.DecoderNode is null) throw new UserErrorException("the graph has no decoder, so there is nothing that could answer; add a node of kind 'decoder'");
        if (data.Tokenizer is null) throw new UserErrorException("the project has no tokenizer, so there is no text to answer with; add data.tokenizer");
        fusions = new FusionCache(options.KeptMedia);
        Length = options.Length ?? live.Plan.Project.Data.TextLength;
        using var use = live.Acquire();
        engine = Begin(use);
        live.Exchanged += Renew;
    }

    /// <summary>Most tokens of prompt and answer together.</summary>
    public int Length { get; }

    /// <summary>What is under way and has been done, by the engine that serves now.</summary>
    public BatchFigures Figures
    {
        get
        {
            lock (gate) return engine?.Batch.Figures ?? new BatchFigures(0, 0, 0, 0, 0, 0);
        }
    }

    /// <summary>Begins to answer.</summary>
    /// <param name="sample">The media that the prompt shows, decoded.</param>
    /// <param name="media">What they are, such as a hash of their bytes: who brings the same again has them encoded already.</param>
    /// <param name="request">The prompt's tokens and how to answer; its fusion is made here.</param>
    /// <param name="cancellation">Ends it and frees its slot within a step.</param>
    /// <exception cref="BusyException">Too many requests wait already.</exception>
    /// <exception cref="ContextLengthException">The prompt is too long.</exception>
    /// <exception cref="UserErrorException">The request can never be answered.</exception>
    public DecodeStream Start(Sample sample, string media, DecodeRequest request, CancellationToken cancellation)
    {
        if (request.Prompt.Count >= Length)
            throw new ContextLengthException($"the prompt has {request.Prompt.Count} tokens, and this model reads {Length} with the answer's; shorten it");
        var generation = fusions.Generation;
        var (use, serving) = Enter();
        try
        {
            var room = Length - request.Prompt.Count;
            var fused = request with
            {
                Sampling = request.Sampling with { MaxTokens = Math.Min(request.Sampling.MaxTokens, room) },
                Fuse = () => fusions.Get(serving.FusesText ? null : media, generation, () => Fuse(use, sample, request.Prompt)),
            };
            var stream = serving.Batch.TryStart(fused, cancellation)
                ?? throw new BusyException($"{options.Queue} requests wait already for the {options.Slots} that are answered at a time; try again later");
            _ = stream.Outcome.ContinueWith(_ => End(use, serving), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return stream;
        }
        catch
        {
            End(use, serving);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        live.Exchanged -= Renew;
        Engine? last;
        lock (gate)
        {
            disposed = true;
            last = engine;
            engine = null;
        }
        last?.Dispose();
        fusions.Clear();
    }

    // An exchange may have left the decoder as it was: then its engine goes on, without what the old fusion has made.
    private void Renew()
    {
        fusions.Clear();
        using var use = live.Acquire();
        lock (gate)
        {
            if (engine is null) return;
            if (ReferenceEquals(engine.Decoder, use.Graph.Decoder)) engine.Batch.Forget();
            else Retire();
        }
    }

    // The version and its engine are taken in one: a request with an older version would bring an older engine back.
    private (GraphUse Use, Engine Engine) Enter()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            var use = live.Acquire();
            try
            {
                if (engine is not null && !ReferenceEquals(engine.Decoder, use.Graph.Decoder)) Retire();
                engine ??= Begin(use);
                engine.Users++;
                return (use, engine);
            }
            catch
            {
                use.Dispose();
                throw;
            }
        }
    }

    private void Retire()
    {
        var old = engine!;
        engine = null;
        old.Retired = true;
        if (old.Users == 0) _ = Task.Run(old.Dispose);
    }

    private void End(GraphUse use, Engine serving)
    {
        use.Dispose();
        lock (gate)
            if (--serving.Users > 0 || !serving.Retired) return;
        serving.Dispose();
    }

    private Engine Begin(GraphUse use)
    {
        var graph = use.Graph;
        graph.Train(false);
        var decoder = graph.Decoder ?? throw new UserErrorException("the graph has no decoder any more");
        var fusesText = PromptFusion.Steps(graph).Any(step => step.Reads(graph.Plan.SampleSlots[(int)SamplePort.Text]));
        // What stands before the text takes places of its own.
        var blank = Fuse(use, new Sample("blank"), [data.Tokenizer!.Special(SpecialTokens.Begin)]);
        var learnt = blank.Adapters?.Slots.Values.Select(content => content.Length).DefaultIfEmpty(0).Max() ?? 0;
        var length = Length + (int)(learnt + (blank.Context?.Prefix?.Data.size(1) ?? 0));
        blank.Owner?.Dispose();
        var packed = data.Device.type == DeviceType.CPU && PackedDecodeEngine.Refusal(graph.DecoderTower) is null;
        IDecodeEngine made = packed
            ? new PackedDecodeEngine(decoder, graph.DecoderTower, options.Slots, length)
            : new TorchDecodeEngine(decoder, options.Slots, length, data.Tokenizer!.Vocabulary, data.Device);
        return new Engine(decoder, graph.HoldDecoder(), new ContinuousBatch(made, data.Tokenizer!, options.Queue, failed, options.Threads)) { FusesText = fusesText };
    }

    // On the engine's thread.
    private FusedPrompt Fuse(GraphUse use, Sample sample, IReadOnlyList<int> prompt)
    {
        var began = Stopwatch.GetTimestamp();
        using var pass = StepGate.Enter();
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var batch = data.CollatePrompts([(sample, prompt)]);
        try
        {
            var (context, adapters) = PromptFusion.Run(use.Graph, PromptFusion.Steps(use.Graph), batch);
            var tensors = scope.DisposablesView.ToList();
            scope.Detach(tensors);
            MediaMeter.Record("fusion", began);
            return new FusedPrompt(context, new Owned(live.Again(use), batch, tensors), adapters);
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }

    private sealed class Engine(IDecoder decoder, IDisposable held, ContinuousBatch batch) : IDisposable
    {
        public IDecoder Decoder => decoder;

        public ContinuousBatch Batch => batch;

        public bool FusesText { get; init; }

        public int Users { get; set; }

        public bool Retired { get; set; }

        public void Dispose()
        {
            batch.Dispose();
            held.Dispose();
        }
    }

    private sealed class Owned(GraphUse use, Batch batch, List<IDisposable> tensors) : IDisposable
    {
        public void Dispose()
        {
            foreach (var tensor in tensors) tensor.Dispose();
            tensors.Clear();
            batch.Dispose();
            use.Dispose();
        }
    }
}
