using PluginHost.Runs.Generation;
using PluginHost.Sdk;

namespace PluginHost.Runs.Decoding;

/// <summary>A prompt to be answered.</summary>
/// <param name="Prompt">Its token ids, at least one.</param>
/// <param name="Sampling">How tokens are chosen, and how many at most; its seed is this request's alone.</param>
public sealed record DecodeRequest(IReadOnlyList<int> Prompt, Sampling Sampling)
{
    /// <summary>The most alternatives that may be asked for at each token.</summary>
    public const int MostAlternatives = 20;

    /// <summary>What the fusion says about the prompt, one row; null: nothing. Its tensors are the sender's, who keeps them until the stream has ended.</summary>
    public IFusionContext? Context { get; init; }

    /// <summary>
    /// Makes what the fusion says when a slot is free, on the engine's thread, where the others wait for it; instead of <see cref="Context"/>.
    /// So no more are held than there are slots.
    /// </summary>
    public Func<FusedPrompt>? Fuse { get; init; }

    /// <summary>
    /// Divides positive and multiplies negative logits of tokens that prompt or answer have (Keskar et al. 2019); 1: off, above 1: less
    /// repetition. The end of an answer is spared, so that it can always end.
    /// </summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Log-probabilities of each token and of as many most likely alternatives, 0 to <see cref="MostAlternatives"/>; null: none.</summary>
    public int? LogProbabilities { get; init; }

    /// <summary>Texts before which an answer ends.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>
    /// Which tokens may come, of the batch's tokenizer; null: any. It counts before temperature and nucleus; log-probabilities stay those of the model. The answer
    /// can end when the constraint says so, and fails where it allows nothing.
    /// </summary>
    public IConstraint? Constraint { get; init; }

    /// <summary>This, if an engine of some size can answer it.</summary>
    /// <exception cref="UserErrorException">It cannot; all reasons are named.</exception>
    internal DecodeRequest Checked(int vocabulary, int length)
    {
        Sampling.Checked();
        var problems = new List<string>();
        if (Prompt.Count == 0) problems.Add("the prompt has no tokens");
        if (Prompt.Count > length) problems.Add($"the prompt has {Prompt.Count} tokens; this model's engine reads {length} at most");
        foreach (var id in Prompt.Where(id => (uint)id >= (uint)vocabulary).Take(1)) problems.Add($"the prompt's token {id} is not in the vocabulary of {vocabulary}");
        if (Context is not null && Fuse is not null) problems.Add("a fusion and the means to make one are both given; give one of them");
        if (!(RepetitionPenalty > 0 && double.IsFinite(RepetitionPenalty))) problems.Add($"repetition penalty {RepetitionPenalty} is not above 0");
        if (LogProbabilities is < 0 or > MostAlternatives) problems.Add($"{LogProbabilities} alternatives are not between 0 and {MostAlternatives}");
        if (Stop.Any(string.IsNullOrEmpty)) problems.Add("a stop text is empty");
        return problems.Count == 0 ? this : throw new UserErrorException($"Request: {string.Join("; ", problems)}.");
    }
}

/// <summary>A fusion made for one request.</summary>
/// <param name="Context">What it says; null: nothing.</param>
/// <param name="Owner">What holds its tensors: disposed on the engine's thread when the request has ended. Null: they are somebody else's, and outlive the request.</param>
/// <param name="Adapters">What an adapter adds to the answer; null: nothing.</param>
/// <param name="Lasting">Whether another request may come with the very same fusion, so that the slot's tokens are worth keeping when the owner has been disposed.</param>
public sealed record FusedPrompt(IFusionContext? Context, IDisposable? Owner = null, AdapterSet? Adapters = null, bool Lasting = false);
