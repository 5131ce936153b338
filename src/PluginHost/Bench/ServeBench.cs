using System.Diagnostics;
using System.Numerics.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Config;
using PluginHost.Runs.Chat;
using PluginHost.Runs.Decoding;
using PluginHost.Runs.Profiling;
using PluginHost.Sdk;
using PluginHost.Serving;
using static TorchSharp.torch;

namespace PluginHost.Bench;

/// <summary>How long a measurement of serving is.</summary>
/// <param name="Rounds">Rounds in which the server and the bare engine take turns.</param>
/// <param name="LoadSeconds">How long the server is put under a load.</param>
/// <param name="Requests">Requests over which memory is watched; one in twenty goes away in the middle.</param>
internal sealed record ServeBenchLength(int Rounds, int LoadSeconds, int Requests);

/// <summary>
/// Measures a real server on this machine, asked by a client in the same process: streams beside the bare decode loop and reading memory, which take turns, times to the first token at
/// rest and under load, what is refused when twice as much is asked as it can answer, and memory over many requests. Decoding has one thread.
/// </summary>
internal sealed class ServeBench(HostConfig host, ProjectConfig project, ServeBenchLength length, TextWriter output, CancellationToken cancellation)
{
    private const int Prompt = 16;
    private const int Tokens = 96;
    private const int LoadTokens = 24;
    private static readonly int[] Streams = [1, 8, 16];

    private ServeClient client = null!;
    private LiveDecoder decoder = null!;

    /// <summary>Runs it.</summary>
    /// <exception cref="UserErrorException">The project has no decoder, or one that cannot be packed.</exception>
    public async Task<ServeBenchResult> RunAsync()
    {
        var most = get_num_threads();
        set_num_threads(1);
        using var workspace = Workspace.Open(project with { Evaluate = [] }, host, null, project.Seed, NullLoggerFactory.Instance, cancellation);
        using var use = workspace.Graph.Acquire();
        use.Graph.Train(false);
        if (PackedDecodeEngine.Refusal(use.Graph.DecoderTower) is { } reason) throw new UserErrorException($"{project.Path}: the decoder cannot be packed: {reason}.");
        using var engine = new PackedDecodeEngine(use.Graph.Decoder!, use.Graph.DecoderTower, Streams[^1], Prompt + Tokens);
        using var live = decoder = new LiveDecoder(workspace.Graph, workspace.Data, new EngineConfig(Slots: Streams[^1], Threads: 1));
        var keys = Path.Combine(Path.GetTempPath(), $"pluginhost-{Guid.NewGuid():N}", "keys.json");
        await using var app = ServingHost.Build(host.Server with { Urls = ["http://127.0.0.1:0"], Keys = keys, RequestsPerMinute = 0 }, [new BenchModel(workspace, decoder)], builder => builder.Logging.ClearProviders());
        await app.StartAsync(cancellation);
        client = new ServeClient(new Uri(app.Urls.First()), project.Name, workspace.Data.Tokenizer!.Vocabulary);
        try
        {
            output.WriteLine($"serving: {engine.WeightBytes / 1e6:0.0} MB of weights a token, one thread, {Streams[^1]} slots");
            var rounds = await RoundsAsync(engine);
            var idle = await IdleAsync();
            var capacity = await CapacityAsync();
            output.WriteLine($"  at rest {idle.Order().ElementAt(idle.Count / 2).TotalMilliseconds:0.0} ms to the first token; {capacity:0.0} requests/s at most");
            var half = await LoadAsync("half of that", capacity / 2);
            var twice = await LoadAsync("twice that", capacity * 2);
            var memory = await MemoryAsync();
            return new ServeBenchResult(project.Name, engine.WeightBytes, rounds, idle, capacity, half, twice, memory.Streams, memory.SlopeBytes, decoder.Figures.Running + decoder.Figures.Waiting);
        }
        finally
        {
            client.Dispose();
            await app.StopAsync(CancellationToken.None);
            set_num_threads(most);
        }
    }

    private async Task<IReadOnlyList<ServeRound>> RoundsAsync(PackedDecodeEngine engine)
    {
        var reading = new ReadingMemory(engine.WeightBytes);
        var rounds = new List<ServeRound>();
        for (var round = -1; round < length.Rounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            var bandwidth = await Task.Run(() =>
            {
                set_num_threads(1);
                return reading.BytesPerSecond();
            });
            var (bare, served) = (new double[Streams.Length], new double[Streams.Length]);
            for (var i = 0; i < Streams.Length; i++)
            {
                var count = Streams[i];
                bare[i] = await Task.Run(() =>
                {
                    set_num_threads(1);
                    return Bare(engine, count);
                });
                served[i] = await ServedAsync(count);
            }
            if (round < 0) continue; // code is compiled
            rounds.Add(new ServeRound(bandwidth, bare, served));
            output.WriteLine($"  round {round + 1} of {length.Rounds}: {string.Join(", ", Streams.Select((count, i) => $"{count}: {served[i]:N0} tokens/s ({bare[i]:N0} bare)"))}");
        }
        return rounds;
    }

    // The loop that a server could not do without: prompts, then a token for each sequence a step, greedily.
    private static double Bare(PackedDecodeEngine engine, int streams)
    {
        var slots = Enumerable.Range(0, streams).ToArray();
        var logits = new float[streams * engine.Vocabulary];
        var tokens = new int[streams];
        var watch = Stopwatch.StartNew();
        foreach (var slot in slots)
        {
            engine.Begin(slot);
            engine.Prefill(slot, [.. Enumerable.Range(0, Prompt).Select(i => 7 + (slot * 31 + i * 17) % (engine.Vocabulary - 7))], logits.AsSpan(slot * engine.Vocabulary, engine.Vocabulary));
        }
        for (var step = 1; ; step++)
        {
            for (var i = 0; i < streams; i++) tokens[i] = TensorPrimitives.IndexOfMax(logits.AsSpan(i * engine.Vocabulary, engine.Vocabulary));
            if (step == Tokens) break;
            engine.Step(slots, tokens, logits);
        }
        var seconds = watch.Elapsed.TotalSeconds;
        foreach (var slot in slots) engine.Truncate(slot, 0);
        return streams * Tokens / seconds;
    }

    private async Task<double> ServedAsync(int streams)
    {
        var watch = Stopwatch.StartNew();
        var all = await Task.WhenAll(Enumerable.Range(0, streams).Select(_ => client.AskAsync(Prompt, Tokens, cancellation: cancellation)));
        return all.Sum(stream => stream.Tokens) / watch.Elapsed.TotalSeconds;
    }

    private async Task<IReadOnlyList<TimeSpan>> IdleAsync()
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < 50; i++) times.Add((await client.AskAsync(Prompt, LoadTokens, cancellation: cancellation)).FirstToken);
        return times;
    }

    // Requests a second when every slot always has one.
    private async Task<double> CapacityAsync()
    {
        var (done, watch) = (0, Stopwatch.StartNew());
        await Task.WhenAll(Enumerable.Range(0, Streams[^1]).Select(async _ =>
        {
            while (watch.Elapsed.TotalSeconds < length.LoadSeconds / 2.0)
            {
                await client.AskAsync(Prompt, LoadTokens, cancellation: cancellation);
                Interlocked.Increment(ref done);
            }
        }));
        return done / watch.Elapsed.TotalSeconds;
    }

    // Callers come when they come, as if they knew nothing of each other: times between them are exponential.
    private async Task<IReadOnlyList<ServedStream>> LoadAsync(string name, double perSecond)
    {
        var random = new Random(1);
        var (asked, watch, next) = (new List<Task<ServedStream>>(), Stopwatch.StartNew(), 0.0);
        while (next < length.LoadSeconds)
        {
            var wait = next - watch.Elapsed.TotalSeconds;
            if (wait > 0.001) await Task.Delay(TimeSpan.FromSeconds(wait), cancellation);
            else
            {
                asked.Add(client.AskAsync(Prompt, LoadTokens, cancellation: cancellation));
                next -= Math.Log(1 - random.NextDouble()) / perSecond;
            }
        }
        var all = await Task.WhenAll(asked);
        var answered = all.Where(stream => stream.Status == 200).Select(stream => stream.FirstToken.TotalMilliseconds).DefaultIfEmpty(0).Order().ToList();
        output.WriteLine($"  {name}: {all.Length} requests, {answered.Count} answered (99 % of first tokens within {answered[(int)(0.99 * (answered.Count - 1))]:0.0} ms), {all.Count(stream => stream.Status == 429)} refused");
        return all;
    }

    private async Task<(IReadOnlyList<ServedStream> Streams, double SlopeBytes)> MemoryAsync()
    {
        const int Samples = 40;
        var (streams, resident, begun) = (new List<ServedStream>(), new List<double>(), 0);
        await Task.WhenAll(Enumerable.Range(0, Streams[^1]).Select(async _ =>
        {
            while (Interlocked.Increment(ref begun) is var number && number <= length.Requests)
            {
                var stream = await client.AskAsync(Prompt, LoadTokens, number % 20 == 0 ? 3 : null, cancellation);
                lock (streams)
                {
                    streams.Add(stream);
                    if (streams.Count % Math.Max(1, length.Requests / Samples) == 0) resident.Add(ProcessMemory.Resident);
                }
            }
        }));
        for (var i = 0; i < 200 && decoder.Figures is { Running: > 0 } or { Waiting: > 0 }; i++) await Task.Delay(10, cancellation);
        // What the first requests made resident stays; what each leaves behind shows afterwards.
        return (streams, MemoryFigures.Slope([.. resident.Skip(resident.Count / 4)]) / Math.Max(1, length.Requests / Samples));
    }
}
