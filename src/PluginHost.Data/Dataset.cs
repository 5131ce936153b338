using Microsoft.Extensions.AI;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Data;

/// <summary>
/// An open source with its decoders and its tokenizer: samples in, batches out. Safe for concurrent use. Owns the source, not the
/// decoders.
/// </summary>
public sealed class Dataset : IDisposable
{
    private const int BatchesAhead = 2;
    private const int MostWorkers = 8;
    private const long BatchBytes = 64L << 20; // that making a batch leaves behind, about
    private const long RememberedBytes = 512L << 20;

    /// <summary>Training samples whose answers a model without a decoder chooses from.</summary>
    private const int AnswerSamples = 2000;

    // Keeps the numbers that draw wrong answers apart from those that order the samples and draw their turns.
    private const long CandidateDomain = 0x63616E64;

    private readonly DataConfig config;
    private readonly ISource source;
    private readonly RejectionLog rejections;

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
        (this.config, this.source, this.rejections, Device) = (config, source, rejections, device);
        library = new MediaLibrary(media, FormatOf(config), RememberedBytes, TimeSpan.FromSeconds(config.DecodeSeconds));
        reader = new SampleReader(source, library, rejections);
        answers = new Lazy<TaskAnswers>(() => new TaskAnswers(Leading(source, AnswerSamples)));
    }

    /// <summary>The tokenizer; set once it is trained on <see cref="Corpus"/>. Without one, batches hold no text.</summary>
    public ITokenizer? Tokenizer { get; set; }

    /// <summary>Which of <c>image</c>, <c>audio</c> and <c>video</c> the graph uses; the others are never decoded, and their tensors are null.</summary>
    public IReadOnlyList<string> Modalities { get; init; } = [Modality.Image, Modality.Audio];

    /// <summary>Whether the graph reads captions; otherwise they are left out.</summary>
    public bool Captions { get; init; } = true;

    /// <summary>Whether the graph reads pairs (<c>sample.query</c>, <c>sample.passage</c>, <c>sample.negative</c>): each sample then has a row of its own.</summary>
    public bool Pairs { get; init; }

    /// <summary>Augmentation of training samples, in order.</summary>
    public IReadOnlyList<ChosenTransform> Transforms { get; init; } = [];

    /// <summary>Where its tensors are.</summary>
    public Device Device { get; }

    /// <summary>The open source.</summary>
    public ISource Source => source;

    /// <summary>What was left out, and why: rows that the source left out included.</summary>
    public IReadOnlyList<Rejection> Rejections => rejections.Entries;

    /// <summary>The media format that a project wants.</summary>
    public static MediaFormat FormatOf(DataConfig config) => new(config.ImageSize, config.AudioRate, config.AudioSeconds)
    {
        VideoSize = config.VideoSize,
        VideoFrames = config.VideoFrames,
        VideoRate = config.VideoRate,
    };

    /// <summary>Captions, prompts and answers of the first training samples, for a tokenizer to learn from.</summary>
    public static IEnumerable<string> Corpus(ISource source, int samples)
    {
        foreach (var sample in Leading(source, samples))
        {
            foreach (var text in sample.Texts.OrderBy(text => text.Key, StringComparer.Ordinal)) yield return text.Value;
            foreach (var turn in sample.Turns)
            {
                yield return CallText.Tools(turn.Tools) + turn.Prompt;
                yield return turn.Answer;
            }
        }
    }

    /// <summary>
    /// Endless training batches; batch i depends on (seed, i) alone, whatever the number of workers (<c>data.workers</c>). These work ahead, by
    /// a few batches at most, and stop when the enumeration is disposed. Bad samples, and those without a turn of the wanted tasks, are replaced
    /// by others. Only these batches are augmented by <see cref="Transforms"/>.
    /// </summary>
    public IEnumerable<Batch> Train(TrainStream stream)
    {
        var batches = new TrainingBatches(this, config, reader, stream);
        // By default one for each core: they rest once they are ahead, and until then the training waits anyway.
        var workers = config.Workers > 0 ? config.Workers : Math.Min(Environment.ProcessorCount, MostWorkers);
        return Prefetch.InOrder((number, stop) =>
        {
            var samples = batches.Samples(number, stop);
            StepGate.AwaitRoom(BatchBytes);
            return CollateDrawn(samples, stream.Candidates, new KeyedRandom(CandidateDomain, stream.Seed, number));
        }, stream.FirstBatch, workers, BatchesAhead);
    }

    /// <summary>Usable samples of a split in order (of several sources in turn), with their media decoded.</summary>
    /// <param name="split">The split.</param>
    /// <param name="limit">Samples at most; 0: all.</param>
    /// <param name="require">Only samples that have all of these: <c>image</c>, <c>audio</c>, <c>video</c>, <c>text</c>, <c>text.zh</c>.</param>
    public IReadOnlyList<Sample> Load(string split, int limit, IReadOnlyList<string> require)
    {
        bool Usable(Sample sample) => require.All(need => SampleReader.Has(sample, need));
        var loaded = new List<Sample>();
        foreach (var index in MixedSource.InTurn(source, split))
        {
            if (limit > 0 && loaded.Count == limit) break;
            if (reader.Read(Modalities, split, index, Usable, CancellationToken.None) is { } sample) loaded.Add(sample);
        }
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
        new() { Image = Images(samples), Audio = Sounds(samples), Video = Videos(samples), Caption = Captioned([.. samples.Select(sample => (sample, TurnChoice.Caption(sample, language)))]), Samples = samples };

    /// <summary>Rows of one turn each, without media, their answers as targets: for the likelihood of texts.</summary>
    public Batch CollateTexts(IReadOnlyList<Turn> turns)
    {
        var (layout, text) = (Layout(), new TextRows());
        Sample[] samples = [.. turns.Select(turn => new Sample("text") { Turns = [turn] })];
        foreach (var sample in samples)
        {
            text.Begin();
            layout.AddTurn(text, sample, sample.Turns[0]);
        }
        return new Batch { Image = Images(samples), Audio = Sounds(samples), Video = Videos(samples), Text = text.ToTensors(layout.Pad, Device), Samples = samples };
    }

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
        return new Batch { Image = Images(samples), Audio = Sounds(samples), Video = Videos(samples), Text = text.ToTensors(Layout().Pad, Device, exact: true), Samples = samples };
    }

    /// <summary>The answers that training samples give to a task, the most frequent first.</summary>
    public IReadOnlyList<string> AnswersOf(string task) => answers.Value.Of(task);

    /// <summary>Rows of candidate answers to one question each, to be ranked.</summary>
    public Batch CollateCandidates(IReadOnlyList<(Sample Sample, Turn Question, IReadOnlyList<string> Answers)> rows)
    {
        var (layout, text) = (Layout(), new TextRows());
        foreach (var (sample, question, candidates) in rows) layout.AddCandidates(text, sample, question, candidates);
        Sample[] samples = [.. rows.Select(row => row.Sample)];
        return new Batch { Image = Images(samples), Audio = Sounds(samples), Video = Videos(samples), Candidates = text.ToTensors(layout.Pad, Device), Samples = samples };
    }

    /// <summary>Rows of one query or passage each; nothing is real on the sides that are not asked for.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="passages">Whether they are passages.</param>
    public Batch CollatePairs(IReadOnlyList<string> texts, bool passages)
    {
        var sample = new Sample("text");
        TextBatch Side(bool real) => Plain([.. texts.Select(text => (sample, real ? text : null))]);
        return new Batch { Query = Side(!passages), Passage = Side(passages), Negative = Side(false), Samples = [.. texts.Select(_ => sample)] };
    }

    /// <summary>Rows as in training, drawn by (seed, sample id): for the loss on validation samples.</summary>
    public Batch CollateTurns(IReadOnlyList<Sample> samples, IReadOnlyList<string> tasks, int turns, long seed, int candidates = 0, IReadOnlyList<TaskWeight>? weights = null) => CollateDrawn(
        [.. samples.Select(sample => TurnChoice.Draw(sample, tasks, weights ?? [], turns, config.Languages, new KeyedRandom([seed, .. sample.Id.Select(letter => (long)letter)])))],
        candidates, new KeyedRandom(CandidateDomain, seed));

    /// <summary>What a model continues with its answer: <c>&lt;bos&gt; [&lt;image&gt;] [&lt;audio&gt;] [&lt;video&gt;] prompt &lt;answer&gt;</c>.</summary>
    public IReadOnlyList<int> EncodePrompt(Sample sample, string prompt) => EncodePrompt(sample, new Turn("", prompt, ""));

    /// <summary>The same, with media where the turn places them; its answer is not looked at.</summary>
    public IReadOnlyList<int> EncodePrompt(Sample sample, Turn question) => Layout().Prompt(sample, question);

    /// <summary>What a model continues with its next answer in a conversation; nothing is cut.</summary>
    /// <param name="sample">With the media that the messages show, decoded: one of a kind at most.</param>
    /// <param name="messages">Who said what; media contents stand where the media are.</param>
    /// <param name="tools">Functions that the model may call; null: none.</param>
    /// <exception cref="UserErrorException">The model's chat template refuses the conversation.</exception>
    public IReadOnlyList<int> EncodeConversation(Sample sample, IReadOnlyList<ChatMessage> messages, IReadOnlyList<AITool>? tools = null) => Layout().Conversation(sample, messages, tools);

    public void Dispose() => source.Dispose();

    private static IEnumerable<Sample> Leading(ISource source, int samples) =>
        MixedSource.InTurn(source, Splits.Train).Take(samples).Select(index => ReadOrNull(source, Splits.Train, index)).OfType<Sample>();

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

    /// <summary>Rows of drawn samples: one each, but samples that are nothing but turns share rows.</summary>
    private Batch CollateDrawn(IReadOnlyList<Sample> samples, int candidates, KeyedRandom random)
    {
        var rows = Tokenizer is null ? [.. samples.Select(sample => new PackedRow([sample], []))] : Layout().Rows(samples, Captions, Pairs || candidates > 0);
        Sample[] heads = [.. rows.Select(row => row.Samples[0])];
        (TextBatch Query, TextBatch Passage, TextBatch Negative)? pairs = Pairs && Tokenizer is not null ? Paired(heads, random) : null;
        var text = new TextRows();
        foreach (var row in rows)
        {
            text.Begin();
            foreach (var segment in row.Segments) text.Add(segment.Ids, segment.FirstTarget, segment.Weight, segment.Needs);
        }
        return new Batch
        {
            Image = Images(heads),
            Audio = Sounds(heads),
            Video = Videos(heads),
            Text = Tokenizer is null ? null : text.ToTensors(Layout().Pad, Device),
            Caption = Captioned([.. heads.Select(head => (head, head.Texts.Values.FirstOrDefault()))]),
            Candidates = candidates == 0 || Tokenizer is null ? null : Candidates(rows, candidates, random),
            Query = pairs?.Query,
            Passage = pairs?.Passage,
            Negative = pairs?.Negative,
            Samples = [.. rows.SelectMany(row => row.Samples)],
        };
    }

    private (TextBatch Query, TextBatch Passage, TextBatch Negative) Paired(IReadOnlyList<Sample> samples, KeyedRandom random)
    {
        var turns = samples.Select(sample => (Sample: sample, Turn: sample.Turns.FirstOrDefault())).ToList();
        var wrong = turns.Select(item => item.Turn is { Wrong.Count: > 0 } turn ? turn.Wrong[random.Below(turn.Wrong.Count)] : null).ToList();
        return (Plain([.. turns.Select(item => (item.Sample, item.Turn?.Prompt))]), Plain([.. turns.Select(item => (item.Sample, item.Turn?.Answer))]), Plain([.. turns.Zip(wrong, (item, text) => (item.Sample, text))]));
    }

    private TextBatch Plain(IReadOnlyList<(Sample Sample, string? Text)> rows)
    {
        var (layout, text) = (Layout(), new TextRows());
        foreach (var (sample, content) in rows) layout.AddPlain(text, sample, content);
        return text.ToTensors(layout.Pad, Device);
    }

    private TextBatch Candidates(IReadOnlyList<PackedRow> rows, int count, KeyedRandom random)
    {
        var (layout, text) = (Layout(), new TextRows());
        foreach (var row in rows)
        {
            var questions = row.Samples.SelectMany(sample => sample.Turns).Select(turn => new CandidateQuestion(turn, answers.Value.DrawWrong(turn, count - 1, ref random)));
            layout.AddCandidates(text, row.Samples[0], [.. questions.Where(question => question.Wrong.Count > 0)]);
        }
        return text.ToTensors(layout.Pad, Device);
    }

    private TextBatch? Captioned(IReadOnlyList<(Sample Sample, string? Caption)> rows)
    {
        if (Tokenizer is null || !Captions) return null;
        var (layout, caption) = (Layout(), new TextRows());
        foreach (var (sample, text) in rows) layout.AddCaption(caption, sample, text);
        return caption.ToTensors(layout.Pad, Device);
    }

    private Masked? Images(IReadOnlyList<Sample> samples) =>
        Modalities.Contains(Modality.Image) ? MediaTensors.Images(samples, config.ImageSize, Device) : null;

    private Masked? Sounds(IReadOnlyList<Sample> samples) =>
        Modalities.Contains(Modality.Audio) ? MediaTensors.Sounds(samples, FormatOf(config).AudioSamples, Device) : null;

    private Masked? Videos(IReadOnlyList<Sample> samples) =>
        Modalities.Contains(Modality.Video) ? MediaTensors.Videos(samples, FormatOf(config), Device) : null;

    private TextLayout Layout() => new(
        Tokenizer ?? throw new InvalidOperationException("The project has no tokenizer: data.tokenizer names one."), config.TextLength, rejections);
}
