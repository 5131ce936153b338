using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Graph;
using PluginHost.Runs.Decoding;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Bench;

/// <summary>
/// Measures decoding of one, eight and sixteen sequences by packed weights, beside reading memory and libtorch's path, which take their turns so that a machine that is
/// busy slows all alike.
/// </summary>
internal sealed class DecodeBench(HostConfig host, ProjectConfig project, int rounds, TextWriter output, CancellationToken cancellation)
{
    private const int Prompt = 64;
    private const int Steps = 48;
    private static readonly int[] Batches = [1, 8, 16];


    /// <summary>Runs it.</summary>
    /// <exception cref="UserErrorException">The project has no decoder, or one that cannot be packed.</exception>
    public DecodeBenchResult Run()
    {
        using var catalog = PluginCatalog.Discover(host);
        var plan = GraphPlanner.Plan(project with { Evaluate = [] }, catalog.Installed);
        using var graph = ExecutableGraph.Build(plan, catalog, new GraphSettings(CPU, project.Seed, NullLoggerFactory.Instance, cancellation));
        graph.Train(false);
        var decoder = graph.Decoder ?? throw new UserErrorException($"{project.Path} has no decoder to measure.");
        if (PackedDecodeEngine.Refusal(graph.DecoderTower) is { } reason) throw new UserErrorException($"{project.Path}: the decoder cannot be packed: {reason}.");
        using var engine = new PackedDecodeEngine(decoder, graph.DecoderTower, Batches[^1], Prompt + Steps);
        var reading = new ReadingMemory(engine.WeightBytes);
        output.WriteLine($"decoding: {rounds} rounds, {engine.WeightBytes / 1e6:0.0} MB of weights a token");
        var most = get_num_threads();
        var figures = new[] { 1, most }.Distinct().Select(threads => new Rounds(threads)).ToList();
        try
        {
            for (var round = -1; round < rounds; round++)
                foreach (var item in figures)
                {
                    cancellation.ThrowIfCancellationRequested();
                    set_num_threads(item.Threads);
                    var (bandwidth, torch, packed) = (reading.BytesPerSecond(), Torch(decoder), Batches.Select(batch => Packed(engine, batch)).ToArray());
                    if (round < 0) continue; // code is compiled
                    item.Add(bandwidth, torch, packed);
                    output.WriteLine($"  round {round + 1} of {rounds}, {item.Threads} thread{(item.Threads > 1 ? "s" : "")}: {string.Join(", ", packed.Zip(Batches, (rate, batch) => $"{batch}: {rate:N0} tokens/s"))}, libtorch {torch:N0}");
                }
        }
        finally
        {
            set_num_threads(most);
        }
        return new DecodeBenchResult(project.Name, engine.WeightBytes, [.. figures.Select(item => item.Figures())]);
    }

    // Tokens a second of all sequences together, greedily chosen as a server would.
    private static double Packed(PackedDecodeEngine engine, int batch)
    {
        var slots = Enumerable.Range(0, batch).ToArray();
        var prompt = Enumerable.Range(1, Prompt).Select(i => i % engine.Vocabulary).ToArray();
        var logits = new float[batch * engine.Vocabulary];
        foreach (var slot in slots)
        {
            engine.Begin(slot);
            engine.Prefill(slot, prompt, []);
        }
        var tokens = new int[batch];
        var watch = Stopwatch.StartNew();
        for (var step = 0; step < Steps; step++)
        {
            engine.Step(slots, tokens, logits);
            for (var i = 0; i < batch; i++) tokens[i] = System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits.AsSpan(i * engine.Vocabulary, engine.Vocabulary));
        }
        var seconds = watch.Elapsed.TotalSeconds;
        foreach (var slot in slots) engine.Truncate(slot, 0);
        return batch * Steps / seconds;
    }

    // libtorch's path with its preallocated cache, one sequence.
    private static double Torch(IDecoder decoder)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var cache = decoder.CreateCache(1, Prompt + Steps);
        using var watchedScope = NewDisposeScope();
        decoder.Forward(Text([.. Enumerable.Range(1, Prompt)]), null, cache);
        long token = 0;
        var watch = Stopwatch.StartNew();
        for (var step = 0; step < Steps; step++)
        {
            using var stepScope = NewDisposeScope();
            token = decoder.Forward(Text([token]), null, cache).argmax(-1).item<long>();
        }
        return Steps / watch.Elapsed.TotalSeconds;
    }

    private static TextBatch Text(long[] tokens)
    {
        var ids = tensor(tokens, [1, tokens.Length]);
        return new TextBatch(ids, ones_like(ids, dtype: ScalarType.Bool), ones_like(ids), ids, full_like(ids, TextBatch.Ignore), zeros_like(ids, dtype: ScalarType.Float32));
    }

    private sealed class Rounds(int threads)
    {
        private readonly List<(double Bandwidth, double Torch, double[] Packed)> all = [];

        public int Threads => threads;

        public void Add(double bandwidth, double torch, double[] packed) => all.Add((bandwidth, torch, packed));

        // Ratios are medians over rounds, each of one round's own numbers.
        public DecodeFigures Figures() => new(
            threads, Median(round => round.Bandwidth), Median(round => round.Torch), [.. Batches.Select((_, i) => Median(round => round.Packed[i]))],
            Median(round => round.Packed[0] / round.Bandwidth), [.. Batches.Select((_, i) => Median(round => round.Packed[i] / round.Packed[0]))]);

        private double Median(Func<(double Bandwidth, double Torch, double[] Packed), double> of) => all.Select(of).Order().ElementAt(all.Count / 2);
    }
}
