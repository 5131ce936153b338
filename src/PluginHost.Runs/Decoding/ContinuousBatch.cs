using PluginHost.Catalog;
using PluginHost.Sdk;

namespace PluginHost.Runs.Decoding;

/// <summary>
/// Answers many requests at once over one engine, which a thread of its own uses alone. Requests join and leave between two steps (Yu et
/// al. 2022, Orca); a long prompt is read in pieces, so that it does not stall the others. An answer is the same whatever else is under
/// way, as far as the engine's logits are. Safe for concurrent use. Disposing it cancels what is under way and disposes the engine.
/// </summary>
public sealed class ContinuousBatch : IDisposable
{
    private readonly IDecodeEngine engine;
    private readonly ITokenizer tokenizer;
    private readonly int end;
    private readonly WaitingJobs waiting;
    private readonly DecodeSchedule schedule;
    private readonly Task run;

    /// <summary>Begins to answer.</summary>
    /// <param name="engine">Owned from now on.</param>
    /// <param name="tokenizer">Makes text of tokens, and knows which one ends an answer.</param>
    /// <param name="capacity">Most requests that wait for a slot; more are refused.</param>
    /// <param name="failed">Told, on the engine's thread, of what engine, fusion or tokenizer threw; it must not throw. Null: nobody.</param>
    /// <param name="threads">Threads that a step is computed on; 0: those of libtorch.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no room for any request.</exception>
    public ContinuousBatch(IDecodeEngine engine, ITokenizer tokenizer, int capacity = 64, Action<Exception>? failed = null, int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        (this.engine, this.tokenizer, end) = (engine, tokenizer, tokenizer.Special(SpecialTokens.End));
        waiting = new WaitingJobs(capacity);
        schedule = new DecodeSchedule(engine, waiting, failed);
        // A lent thread has the number that whoever had it before has set.
        var computing = threads > 0 ? threads : TorchSharp.torch.get_num_threads();
        run = PluginThreads.Run("decode", () => Run(computing));
    }

    /// <summary>Most tokens of prompt and answer, what stands before the prompt included.</summary>
    public int Length => engine.Length;

    /// <summary>Requests that are answered at a time.</summary>
    public int Slots => engine.Slots;

    /// <summary>What has been done so far.</summary>
    public BatchFigures Figures => schedule.Figures;

    /// <summary>Hands in a request.</summary>
    /// <param name="request">What to answer.</param>
    /// <param name="cancellation">Ends it and frees its slot within a step.</param>
    /// <returns>Its answer as it grows; null: too many requests wait already, try again later.</returns>
    /// <exception cref="UserErrorException">No engine of this size could answer it; all reasons are named.</exception>
    /// <exception cref="ObjectDisposedException">The batch has been disposed.</exception>
    public DecodeStream? TryStart(DecodeRequest request, CancellationToken cancellation = default)
    {
        var job = new DecodeJob(request.Checked(engine.Vocabulary, engine.Length), tokenizer, end, cancellation);
        return waiting.TryAdd(job) ? job.Stream : null;
    }

    /// <summary>
    /// Lets go, soon, of the fusions that free slots keep for prompts like theirs, and of those of others when their requests have ended. To be called when no further request will come with
    /// them.
    /// </summary>
    public void Forget() => waiting.Forget();

    /// <inheritdoc/>
    public void Dispose()
    {
        waiting.Close();
        run.Wait();
    }

    private void Run(int threads)
    {
        TorchSharp.torch.set_num_threads(threads); // of this thread's loops alone
        using var owned = engine;
        while (waiting.Await(schedule.Busy)) schedule.Turn();
        schedule.EndAll();
    }
}

/// <summary>What a batch is doing and has done.</summary>
/// <param name="Waiting">Requests that no slot has taken yet.</param>
/// <param name="Running">Requests that have a slot.</param>
/// <param name="Ended">Requests that have ended, however.</param>
/// <param name="PromptTokens">Tokens of prompts that were read.</param>
/// <param name="ReusedTokens">Tokens of prompts that a slot still held.</param>
/// <param name="AnswerTokens">Tokens of the answers that have ended.</param>
public sealed record BatchFigures(int Waiting, int Running, long Ended, long PromptTokens, long ReusedTokens, long AnswerTokens);
