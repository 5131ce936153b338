using PluginHost.Sdk;

namespace PluginHost.Runs.Decoding;

/// <summary>
/// Who is read and who answers when: jobs join and leave between two steps of the engine, and prompts are read in pieces between them.
/// One thread uses it.
/// </summary>
/// <param name="engine">Where the sequences live; not disposed.</param>
/// <param name="waiting">Where jobs come from.</param>
/// <param name="failed">Told of what the engine, a fusion or a tokenizer threw; null: nobody.</param>
/// <param name="time">By which encoders are timed; null: the system's.</param>
internal sealed class DecodeSchedule(IDecodeEngine engine, WaitingJobs waiting, Action<Exception>? failed = null, TimeProvider? time = null)
{
    /// <summary>Tokens of one prompt that are read between two steps: what a long one costs the others is bounded.</summary>
    public const int Chunk = 32;

    /// <summary>Tokens of all prompts that are read between two steps. Who waits for a first token waits for more than who waits for the next one, so some that come together are read together.</summary>
    public const int TurnChunk = 4 * Chunk;

    /// <summary>Once encoders and fusions have taken as much of a turn, who waits joins in the next: they may take long.</summary>
    public static readonly TimeSpan LongFusing = TimeSpan.FromMilliseconds(5);

    private readonly TimeProvider time = time ?? TimeProvider.System;
    private readonly DecodeSlot[] slots = [.. Enumerable.Range(0, engine.Slots).Select(index => new DecodeSlot(index))];
    private readonly List<DecodeSlot> stepping = new(engine.Slots);
    private readonly int[] stepSlots = new int[engine.Slots];
    private readonly int[] stepTokens = new int[engine.Slots];
    private readonly float[] logits = new float[engine.Slots * engine.Vocabulary];
    private readonly int[] chunk = new int[Chunk];
    private readonly float[] promptLogits = new float[engine.Vocabulary];
    private readonly ChoiceScratch scratch = new(engine.Vocabulary);
    private long turn;
    private int unread; // tokens of prompts that this turn may still read
    private TimeSpan fusing; // what encoders and fusions have taken of this turn
    private int running;
    private long given;
    private long ended;
    private long promptTokens;
    private long reusedTokens;
    private long answerTokens;

    /// <summary>Whether a slot has a job.</summary>
    public bool Busy => running > 0;

    /// <summary>What has been done so far. Safe for concurrent use.</summary>
    public BatchFigures Figures => new(
        waiting.Count, Volatile.Read(ref running), Volatile.Read(ref ended), Volatile.Read(ref promptTokens), Volatile.Read(ref reusedTokens), Volatile.Read(ref answerTokens));

    /// <summary>One round: who has been cancelled leaves, who waits joins, some of the prompts is read, and each answer grows by a token.</summary>
    public void Turn()
    {
        (turn, unread, fusing) = (turn + 1, TurnChunk, TimeSpan.Zero);
        if (waiting.TakeForget()) Forget();
        EndCancelled();
        ReadPrompts();
        Step();
    }

    /// <summary>Lets go of what slots keep for prompts to come: at once where nothing is under way, else when the slot's job has ended.</summary>
    private void Forget()
    {
        foreach (var slot in slots)
        {
            slot.Lasting = false;
            if (slot.Job is null) Free(slot);
        }
    }

    /// <summary>Ends whatever is under way and frees all slots.</summary>
    public void EndAll()
    {
        foreach (var slot in slots.Where(slot => slot.Job is not null)) End(slot, FinishReason.Cancelled);
        while (waiting.Take() is { } job) End(job, FinishReason.Cancelled);
        foreach (var slot in slots) Free(slot);
    }

    private void EndCancelled()
    {
        foreach (var job in waiting.TakeCancelled()) End(job, FinishReason.Cancelled);
        foreach (var slot in slots)
            if (slot.Job is { Cancelled: true }) End(slot, FinishReason.Cancelled);
    }

    private void Admit()
    {
        while (fusing < LongFusing && running < slots.Length && waiting.Take() is { } job)
        {
            FusedPrompt fused;
            var began = time.GetTimestamp();
            try
            {
                fused = job.Request.Fuse?.Invoke() ?? new FusedPrompt(job.Request.Context);
            }
            catch (Exception exception)
            {
                Fail(job, "the fusion of its prompt", exception);
                continue;
            }
            finally
            {
                fusing += time.GetElapsedTime(began);
            }
            Place(job, fused);
        }
    }

    // The slot that holds most of the prompt already, else the one that has been idle the longest.
    private void Place(DecodeJob job, FusedPrompt fused)
    {
        var prompt = job.Request.Prompt;
        var slot = slots.Where(slot => slot.Job is null).OrderByDescending(slot => slot.Shared(prompt, fused)).ThenBy(slot => slot.Given).First();
        (slot.Job, slot.Owner, slot.Lasting, slot.Given, slot.ReadIn) = (job, fused.Owner, fused.Owner is null || fused.Lasting, ++given, turn - 1);
        running++;
        try
        {
            var shared = slot.Shared(prompt, fused);
            if (shared == 0) Begin(slot, fused);
            else if (shared < slot.Tokens.Count) Truncate(slot, shared);
            if (prompt.Count > slot.Room)
                throw new UserErrorException($"the prompt has {prompt.Count} tokens; behind the fusion's prefix of {engine.Length - slot.Room} there is room for {slot.Room}");
            job.Reused = shared;
            Volatile.Write(ref reusedTokens, reusedTokens + shared);
        }
        catch (Exception exception)
        {
            Fail(slot, "joining the batch", exception);
        }
    }

    private void Begin(DecodeSlot slot, FusedPrompt fused)
    {
        if (slot.Begun) Free(slot);
        (slot.Begun, slot.Context, slot.Adapters) = (true, fused.Context, fused.Adapters);
        var learnt = fused.Adapters?.Slots.Values.Select(content => content.Length).DefaultIfEmpty(0).Max() ?? 0;
        slot.Room = engine.Length - (int)(learnt + (fused.Context?.Prefix?.Data.size(1) ?? 0));
        engine.Begin(slot.Index, fused.Context, fused.Adapters);
    }

    private void Truncate(DecodeSlot slot, int tokens)
    {
        engine.Truncate(slot.Index, tokens);
        slot.Tokens.RemoveRange(tokens, slot.Tokens.Count - tokens);
    }

    // A piece of each prompt, in turn, so that a short one does not wait for the end of a long one; who comes meanwhile joins. A prompt is cut in the same places whatever
    // is read beside it: what follows from it is then the same to the last bit.
    private void ReadPrompts()
    {
        Admit();
        while (NextToRead() is { Job.Request.Prompt: var prompt } slot)
        {
            var count = Math.Min(Chunk, prompt.Count - slot.Tokens.Count);
            if (count > unread) return;
            slot.ReadIn = turn;
            unread -= count;
            ReadPrompt(slot, prompt, count);
            Admit();
        }
    }

    // Who has waited the longest, since it came or since a piece of it was read.
    private DecodeSlot? NextToRead()
    {
        DecodeSlot? first = null;
        foreach (var slot in slots)
            if (slot is { Job.Answered: 0 } && slot.ReadIn < turn && (first is null || (slot.ReadIn, slot.Given).CompareTo((first.ReadIn, first.Given)) < 0)) first = slot;
        return first;
    }

    private void ReadPrompt(DecodeSlot slot, IReadOnlyList<int> prompt, int count)
    {
        var from = slot.Tokens.Count;
        var tokens = chunk.AsSpan(0, count);
        for (var i = 0; i < count; i++) tokens[i] = prompt[from + i];
        var last = from + count == prompt.Count;
        var wanted = last ? promptLogits : [];
        try
        {
            engine.Prefill(slot.Index, tokens, wanted);
        }
        catch (Exception exception)
        {
            Fail(slot, "reading the prompt", exception);
            return;
        }
        slot.Tokens.AddRange(tokens);
        Volatile.Write(ref promptTokens, promptTokens + count);
        if (last) Advance(slot, wanted);
    }

    private void Step()
    {
        stepping.Clear();
        foreach (var slot in slots)
            if (slot.Answers) stepping.Add(slot);
        if (stepping.Count == 0) return;
        for (var i = 0; i < stepping.Count; i++) (stepSlots[i], stepTokens[i]) = (stepping[i].Index, stepping[i].Job!.Last);
        try
        {
            engine.Step(stepSlots.AsSpan(0, stepping.Count), stepTokens.AsSpan(0, stepping.Count), logits.AsSpan(0, stepping.Count * engine.Vocabulary), ReadPrompts);
        }
        catch (Exception exception)
        {
            failed?.Invoke(exception);
            foreach (var slot in stepping) Fail(slot, "the next token", exception, told: true);
            return;
        }
        for (var i = 0; i < stepping.Count; i++)
        {
            stepping[i].Tokens.Add(stepTokens[i]);
            Advance(stepping[i], logits.AsSpan(i * engine.Vocabulary, engine.Vocabulary));
        }
    }

    private void Advance(DecodeSlot slot, ReadOnlySpan<float> next)
    {
        var job = slot.Job!;
        FinishReason? reason;
        try
        {
            reason = job.Advance(next, slot.Room, scratch);
            if (reason is not null) job.Flush();
        }
        catch (Exception exception)
        {
            Fail(slot, "the choice of a token", exception);
            return;
        }
        if (reason is { } because) End(slot, because);
    }

    private void Fail(DecodeSlot slot, string where, Exception exception, bool told = false)
    {
        if (!told) failed?.Invoke(exception);
        var job = slot.Job!;
        Leave(slot);
        Free(slot);
        End(job, FinishReason.Error, Describe(where, exception));
    }

    private void Fail(DecodeJob job, string where, Exception exception)
    {
        failed?.Invoke(exception);
        End(job, FinishReason.Error, Describe(where, exception));
    }

    // A native failure's message goes on with a stack of addresses.
    private static string Describe(string where, Exception exception) => $"Failed at {where}: {exception.Message.Split('\n')[0].TrimEnd()}";

    private void End(DecodeSlot slot, FinishReason reason)
    {
        var job = slot.Job!;
        Leave(slot);
        End(job, reason);
    }

    private void End(DecodeJob job, FinishReason reason, string? error = null)
    {
        Volatile.Write(ref ended, ended + 1);
        Volatile.Write(ref answerTokens, answerTokens + job.Answered);
        job.End(reason, error);
    }

    // A fusion that goes with its job can never be met again, so the slot is freed at once.
    private void Leave(DecodeSlot slot)
    {
        slot.Job = null;
        running--;
        if (!slot.Lasting) Free(slot);
        if (slot.Owner is not null) Guarded(slot.Disown);
    }

    // A slot that the engine cannot free stays begun and holds nothing: it is freed again when it is next needed.
    private void Free(DecodeSlot slot)
    {
        if (!slot.Begun) return;
        slot.Tokens.Clear();
        (slot.Context, slot.Adapters) = (null, null);
        Guarded(() =>
        {
            engine.Truncate(slot.Index, 0);
            slot.Begun = false;
        });
    }

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception)
        {
            failed?.Invoke(exception);
        }
    }
}
