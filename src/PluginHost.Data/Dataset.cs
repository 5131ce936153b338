using PluginHost.Config;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Data;

/// <summary>What a stage trains on.</summary>
/// <param name="Split">Split to read.</param>
/// <param name="Seed">Seed of order, turns and languages.</param>
/// <param name="Batch">Samples in a batch.</param>
/// <param name="Tasks">Patterns of tasks; empty: all.</param>
/// <param name="Turns">Turns drawn from a sample.</param>
/// <param name="FirstBatch">Where to start: a resumed run continues as if it had never stopped.</param>
/// <param name="Candidates">Answers that each question has to choose from in <see cref="Batch.Candidates"/>; 0: none are made.</param>
public sealed record TrainStream(string Split, long Seed, int Batch, IReadOnlyList<string> Tasks, int Turns, long FirstBatch = 0, int Candidates = 0);

/// <summary>
/// An open source with its decoders and its tokenizer: samples in, batches out. Safe for concurrent use. Owns the source, not the
/// decoders.
/// </summary>
public sealed class Dataset : IDisposable
{
    private const int BatchesAhead = 2;
    private const long RememberedBytes = 512L << 20;

    /// <summary>Training samples whose answers a model without a decoder chooses from.</summary>
    private const int AnswerSamples = 2000;

    private readonly DataConfig config;
    private readonly ISource source;
    private readonly RejectionLog rejections;
    private readonly Device device;

    private readonly MediaLibrary library;
    private readonly SampleReader reader;
    private readonly Lazy<TaskAnswers> answers;

    /// <param name="config">The data part of a project.</param>
    /// <param name="source">The open source; disposed with the data set.</param>
    /// <param name="media">Decoders in order of preference.</param>
    /// <param name="rejections">Where rejected rows are noted: the log that the source was opened with.</param>
    /// <param name="device">Where tensors go.</param>
    public Dataset(DataConfig config, ISource source, IReadOnlyList<MediaPlugin> media, RejectionLog rejections, Device device)
    {
        (this.config, this.source, this.rejections, this.device) = (config, source, rejections, device);
        library = new MediaLibrary(media, FormatOf(config), RememberedBytes);
        reader = new SampleReader(source, library, rejections);
        answers = new Lazy<TaskAnswers>(() => new TaskAnswers(Leading(source, AnswerSamples)));
    }

    /// <summary>The tokenizer; set once it is trained on <see cref="Corpus"/>. Without one, batches hold no text.</summary>
    public ITokenizer? Tokenizer { get; set; }

    /// <summary>Which of <c>image</c> and <c>audio</c> the graph uses; the others are never decoded, and their tensors are null.</summary>
    public IReadOnlyList<string> Modalities { get; init; } = [Modality.Image, Modality.Audio];

    /// <summary>Augmentation of training samples, in order.</summary>
    public IReadOnlyList<ChosenTransform> Transforms { get; init; } = [];

    /// <summary>The open source.</summary>
    public ISource Source => source;

    /// <summary>What was left out, and why: rows that the source left out included.</summary>
    public IReadOnlyList<Rejection> Rejections => rejections.Entries;

    /// <summary>The media format that a project wants.</summary>
    public static MediaFormat FormatOf(DataConfig config) => new(config.ImageSize, config.AudioRate, config.AudioSeconds);

    /// <summary>Captions, prompts and answers of the first training samples, for a tokenizer to learn from.</summary>
    public static IEnumerable<string> Corpus(ISource source, int samples)
    {
        foreach (var sample in Leading(source, samples))
        {
            foreach (var text in sample.Texts.OrderBy(text => text.Key, StringComparer.Ordinal)) yield return text.Value;
            foreach (var turn in sample.Turns)
            {
                yield return turn.Prompt;
                yield return turn.Answer;
            }
        }
    }

    /// <summary>
    /// Endless training batches; batch i depends on (seed, i) alone. One background thread works ahead and stops when the
    /// enumeration is disposed. Bad samples, and those without a turn of the wanted tasks, are replaced by others. Only these batches
    /// are augmented by <see cref="Transforms"/>.
    /// </summary>
    public IEnumerable<Batch> Train(TrainStream options)
    {
        if (source.Count(options.Split) == 0)
            throw new UserErrorException($"The source has no samples in the split '{options.Split}'; it has {string.Join(", ", source.Splits.Select(split => $"{split} ({source.Count(split)})"))}.");
        return Prefetch.Ahead(stop => Batches(options, stop), BatchesAhead, "data");
    }

    /// <summary>Usable samples of a split in order, with their media decoded.</summary>
    /// <param name="split">The split.</param>
    /// <param name="limit">Samples at most; 0: all.</param>
    /// <param name="require">Only samples that have all of these: <c>image</c>, <c>audio</c>, <c>text</c>, <c>text.zh</c>.</param>
    public IReadOnlyList<Sample> Load(string split, int limit, IReadOnlyList<string> require)
    {
        bool Usable(Sample sample) => require.All(need => SampleReader.Has(sample, need));
        var loaded = new List<Sample>();
        for (var index = 0; index < source.Count(split) && (limit == 0 || loaded.Count < limit); index++)
            if (reader.Read(Modalities, split, index, Usable, CancellationToken.None) is { } sample) loaded.Add(sample);
        return loaded;
    }

    /// <summary>A sample from outside the source (a user's picture), with its media decoded.</summary>
    /// <exception cref="UserErrorException">A medium is unusable.</exception>
    public Sample Decode(Sample sample)
    {
        try
        {
            return library.Decode(sample, Modalities, CancellationToken.None);
        }
        catch (BadSampleException error)
        {
            throw new UserErrorException($"{sample.Id}: {error.Message}");
        }
    }

    /// <summary>Rows of one caption each, in a language; a sample without it gives the caption in its first other language.</summary>
    public Batch CollateCaptions(IReadOnlyList<Sample> samples, string language) =>
        Collate(samples, null, [.. samples.Select(sample => TurnChoice.Caption(sample, language))]);

    /// <summary>Rows to be continued: prompts of one length, without padding and targets.</summary>
    public Batch CollatePrompts(IReadOnlyList<(Sample Sample, IReadOnlyList<int> Prompt)> rows)
    {
        if (rows.Select(row => row.Prompt.Count).Distinct().Count() > 1)
            throw new ArgumentException("Prompts of one batch must have one length.", nameof(rows));
        var text = new TextRows();
        foreach (var (_, prompt) in rows)
        {
            text.Begin();
            text.Add(prompt, int.MaxValue, 0);
        }
        Sample[] samples = [.. rows.Select(row => row.Sample)];
        return new Batch { Image = Images(samples), Audio = Sounds(samples), Text = text.ToTensors(Layout().Pad, device), Samples = samples };
    }

    /// <summary>The answers that training samples give to a task, the most frequent first.</summary>
    public IReadOnlyList<string> AnswersOf(string task) => answers.Value.Of(task);

    /// <summary>Rows of candidate answers to one question each, to be ranked.</summary>
    public Batch CollateCandidates(IReadOnlyList<(Sample Sample, string Prompt, IReadOnlyList<string> Answers)> rows)
    {
        var (layout, text) = (Layout(), new TextRows());
        foreach (var (sample, prompt, candidates) in rows) layout.AddCandidates(text, sample, prompt, candidates);
        Sample[] samples = [.. rows.Select(row => row.Sample)];
        return new Batch { Image = Images(samples), Audio = Sounds(samples), Candidates = text.ToTensors(layout.Pad, device), Samples = samples };
    }

    /// <summary>Rows as in training, drawn by (seed, sample id): for the loss on validation samples.</summary>
    public Batch CollateTurns(IReadOnlyList<Sample> samples, IReadOnlyList<string> tasks, int turns, long seed, int candidates = 0) =>
        CollateDrawn(samples, tasks, turns, candidates, [.. samples.Select(sample => new KeyedRandom([seed, .. sample.Id.Select(letter => (long)letter)]))]);

    /// <summary>What a model continues with its answer: <c>&lt;bos&gt; [&lt;image&gt;] [&lt;audio&gt;] prompt &lt;answer&gt;</c>.</summary>
    public IReadOnlyList<int> EncodePrompt(Sample sample, string prompt) => Layout().Prompt(sample, prompt);

    public void Dispose() => source.Dispose();

    private static IEnumerable<Sample> Leading(ISource source, int samples) =>
        Enumerable.Range(0, Math.Min(samples, source.Count(Splits.Train))).Select(index => ReadOrNull(source, Splits.Train, index)).OfType<Sample>();

    private static Sample? ReadOrNull(ISource source, string split, int index)
    {
        try
        {
            return source.Read(split, index);
        }
        catch (BadSampleException)
        {
            return null; // noted when it is read as a sample
        }
    }

    private IEnumerable<Batch> Batches(TrainStream options, CancellationToken stop)
    {
        var order = new SampleOrder(options.Seed, source.Count(options.Split));
        for (var number = options.FirstBatch; ; number++)
        {
            var (samples, randoms) = (new List<Sample>(), new List<KeyedRandom>());
            for (var position = number * options.Batch; position < (number + 1) * options.Batch; position++)
            {
                var (sample, index) = Pick(order, position, options, stop);
                samples.Add(Augmentation.Apply(Transforms, sample, options.Seed, order.Epoch(position), index));
                randoms.Add(new KeyedRandom(options.Seed, order.Epoch(position), index));
            }
            yield return CollateDrawn(samples, options.Tasks, options.Turns, options.Candidates, randoms);
        }
    }

    /// <summary>The sample at a position of the stream, or the first of its stand-ins that is usable.</summary>
    private (Sample Sample, int Index) Pick(SampleOrder order, long position, TrainStream options, CancellationToken stop)
    {
        bool Wanted(Sample sample) => options.Tasks.Count == 0 || sample.Turns.Any(turn => TaskFilter.Matches(options.Tasks, turn.Task));
        for (var attempt = 0; attempt <= order.Count; attempt++)
        {
            stop.ThrowIfCancellationRequested();
            var index = order.Index(position, attempt);
            if (reader.Read(Modalities, options.Split, index, Wanted, stop) is { } sample) return (sample, index);
        }
        var reasons = string.Join("; ", Rejections.Take(3).Select(rejection => $"{rejection.Id}: {rejection.Reason}"));
        throw new UserErrorException(
            $"The split '{options.Split}' has no usable sample with a turn of the tasks [{string.Join(", ", options.Tasks)}]"
            + (reasons.Length > 0 ? $"; rejected were {reasons}." : ". Mend 'tasks' of the stage."));
    }

    private Batch CollateDrawn(IReadOnlyList<Sample> samples, IReadOnlyList<string> tasks, int turns, int candidates, IReadOnlyList<KeyedRandom> randoms)
    {
        var captions = new string?[samples.Count];
        var drawn = new IReadOnlyList<Turn>[samples.Count];
        var questions = candidates == 0 ? null : new IReadOnlyList<CandidateQuestion>[samples.Count];
        for (var i = 0; i < samples.Count; i++)
        {
            var random = randoms[i];
            captions[i] = TurnChoice.Caption(samples[i], config.Languages, ref random);
            drawn[i] = TurnChoice.Draw(samples[i], tasks, turns, ref random);
            if (questions is null) continue;
            var asked = new List<CandidateQuestion>();
            foreach (var turn in drawn[i])
                if (answers.Value.DrawWrong(turn, candidates - 1, ref random) is { Count: > 0 } wrong) asked.Add(new CandidateQuestion(turn, wrong));
            questions[i] = asked;
        }
        return Collate(samples, drawn, captions, questions);
    }

    private Batch Collate(IReadOnlyList<Sample> samples, IReadOnlyList<Turn>[]? turns, string?[] captions, IReadOnlyList<CandidateQuestion>[]? questions = null)
    {
        var layout = Tokenizer is null ? null : Layout();
        var (text, caption, candidates) = (new TextRows(), new TextRows(), new TextRows());
        for (var i = 0; i < samples.Count; i++)
        {
            if (turns is not null) layout?.AddTurns(text, samples[i], turns[i]);
            layout?.AddCaption(caption, samples[i], captions[i]);
            if (questions is not null) layout?.AddCandidates(candidates, samples[i], questions[i]);
        }
        return new Batch
        {
            Image = Images(samples),
            Audio = Sounds(samples),
            Text = turns is null ? null : layout is null ? null : text.ToTensors(layout.Pad, device),
            Caption = layout is null ? null : caption.ToTensors(layout.Pad, device),
            Candidates = layout is null || questions is null ? null : candidates.ToTensors(layout.Pad, device),
            Samples = samples,
        };
    }

    private Masked? Images(IReadOnlyList<Sample> samples) =>
        Modalities.Contains(Modality.Image) ? MediaTensors.Images(samples, config.ImageSize, device) : null;

    private Masked? Sounds(IReadOnlyList<Sample> samples) =>
        Modalities.Contains(Modality.Audio) ? MediaTensors.Sounds(samples, FormatOf(config).AudioSamples, device) : null;

    private TextLayout Layout() => new(
        Tokenizer ?? throw new InvalidOperationException("The project has no tokenizer: data.tokenizer names one."), config.TextLength, rejections);
}
