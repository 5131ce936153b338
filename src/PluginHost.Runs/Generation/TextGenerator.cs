using PluginHost.Catalog;
using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Generation;

/// <summary>
/// Answers prompts about samples: the encoders and the fusion run once, then the decoder token by token over its cache. One thread uses it
/// at a time; several of them, one a thread, may share a graph.
/// </summary>
public sealed class TextGenerator
{
    private readonly ExecutableGraph graph;
    private readonly Dataset data;
    private readonly IDecoder decoder;
    private readonly ITokenizer tokenizer;
    private readonly ExecutionStep[] contextSteps;
    private readonly long end;

    /// <exception cref="UserErrorException">The graph has no decoder.</exception>
    public TextGenerator(ExecutableGraph graph, Dataset data)
    {
        (this.graph, this.data) = (graph, data);
        decoder = graph.Decoder ?? throw new UserErrorException("The graph has no decoder, so there is nothing that could answer; add a node of kind 'decoder'.");
        contextSteps = PromptFusion.Steps(graph);
        tokenizer = data.Tokenizer ?? throw new UserErrorException("The project has no tokenizer, so there is no text to generate; add data.tokenizer.");
        end = tokenizer.Special(SpecialTokens.End);
    }

    /// <summary>Answers one prompt for each sample. Prompts may differ in length: equal ones share a batch.</summary>
    /// <param name="requests">Sample and question; the right answer is not looked at.</param>
    /// <param name="blank">Modalities to be blanked: the blind control.</param>
    /// <param name="sampling">How tokens are chosen.</param>
    /// <param name="batchSize">Rows at a time.</param>
    /// <param name="progress">Told the number of answers so far.</param>
    /// <param name="adapter">The adapter that answers, whatever is attached to the graph; null: what is attached.</param>
    /// <param name="cancellation">Ends the generation between tokens.</param>
    public GeneratedAnswer[] Answer(
        IReadOnlyList<(Sample Sample, Turn Question)> requests, IReadOnlyList<string> blank, Sampling sampling,
        int batchSize = 64, Action<int>? progress = null, ITuning? adapter = null, CancellationToken cancellation = default)
    {
        var answers = new GeneratedAnswer[requests.Count];
        var done = 0;
        var prompts = requests.Select((request, index) => (index, request.Sample, Ids: data.EncodePrompt(request.Sample, request.Question)));
        foreach (var group in prompts.GroupBy(prompt => prompt.Ids.Count).SelectMany(group => group.Chunk(batchSize)))
        {
            using var batch = data.CollatePrompts([.. group.Select(row => (row.Sample, row.Ids))]);
            using var blanked = blank.Count == 0 ? null : batch.Blank([.. blank]);
            var sureness = new double[group.Length];
            var tokens = Generate(blanked ?? batch, sampling, adapter, null, cancellation, sureness);
            for (var row = 0; row < group.Length; row++) answers[group[row].index] = new GeneratedAnswer(tokenizer.Decode(tokens[row]).Trim(), Math.Exp(sureness[row]));
            progress?.Invoke(done += group.Length);
        }
        return answers;
    }

    /// <summary>Answers one prompt, handing out the text as it grows.</summary>
    public string Stream(Sample sample, string prompt, Sampling sampling, Action<string> grown, CancellationToken cancellation, ITuning? adapter = null)
    {
        using var batch = data.CollatePrompts([(sample, data.EncodePrompt(sample, prompt))]);
        var tokens = Generate(batch, sampling, adapter, rows => grown(tokenizer.Decode(rows[0])), cancellation);
        return tokenizer.Decode(tokens[0]).Trim();
    }

    // sureness: what the answers' log-probabilities are added to, the end's included.
    private List<int>[] Generate(Batch batch, Sampling sampling, ITuning? adapter, Action<List<int>[]>? grown, CancellationToken cancellation, double[]? sureness = null)
    {
        graph.Train(false);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (context, adapters) = PromptFusion.Run(graph, contextSteps, batch, adapter);

        var prompt = batch.Text!;
        var rows = (int)prompt.Ids.size(0);
        var length = prompt.Ids.size(1);
        var prefix = context?.Prefix?.Data.size(1) ?? 0;
        using var cache = decoder.CreateCache(rows, (int)(prefix + length + sampling.MaxTokens));
        var answers = Enumerable.Range(0, rows).Select(_ => new List<int>()).ToArray();
        var open = Enumerable.Repeat(true, rows).ToArray();
        var random = new Random(sampling.Seed);
        // What is the same for every token that follows is made once.
        var first = prompt.Ids.narrow(1, 0, 1);
        var single = new TextBatch(
            first, ones_like(first, dtype: ScalarType.Bool), ones_like(first), first, full_like(first, TextBatch.Ignore), zeros_like(first, dtype: float32));
        var next = Next(prompt);
        for (var step = 0; ; step++)
        {
            for (var row = 0; row < rows; row++)
            {
                open[row] &= next[row] != end;
                if (open[row]) answers[row].Add((int)next[row]);
            }
            grown?.Invoke(answers);
            if (!open.Contains(true) || step + 1 >= sampling.MaxTokens) return answers;
            cancellation.ThrowIfCancellationRequested();
            using var stepScope = NewDisposeScope();
            next = Next(SingleTokens(next, length + step));
        }

        long[] Next(TextBatch text)
        {
            using var pass = StepGate.Enter();
            using var forward = NewDisposeScope();
            using var _ = AdapterSet.Use(adapters);
            var logits = decoder.Forward(text, context, cache);
            var last = logits.select(1, logits.size(1) - 1); // [rows, vocabulary]
            var chosen = sampling.Choose(last, random);
            if (sureness is not null) AddLogProbabilities(last, chosen, open, sureness);
            return chosen;
        }

        TextBatch SingleTokens(long[] ids, long position) => single with { Ids = Column(ids), Positions = Column(Enumerable.Repeat(position, rows)) };

        Tensor Column(IEnumerable<long> values) => tensor([.. values], [rows, 1], device: prompt.Ids.device);
    }

    // Of rows that are still open: what follows an answer's end is no part of it.
    private static void AddLogProbabilities(Tensor logits, long[] chosen, bool[] open, double[] sums)
    {
        var of = nn.functional.log_softmax(logits.to(float32), -1).gather(1, tensor(chosen, [chosen.Length, 1], device: logits.device)).cpu().data<float>().ToArray();
        for (var row = 0; row < of.Length; row++)
            if (open[row]) sums[row] += of[row];
    }
}

/// <summary>What a model said.</summary>
/// <param name="Text">The answer, trimmed.</param>
/// <param name="Confidence">The probability that the model gave it: the product of its tokens' probabilities under the model's own distribution, 0 to 1.</param>
public sealed record GeneratedAnswer(string Text, double Confidence);
