using PluginHost.Sdk;

namespace PluginHost.Runs.Decoding;

/// <summary>What the schedule knows about a slot of the engine. A slot without a job keeps its tokens, for a prompt that begins like them.</summary>
/// <param name="index">Its index in the engine.</param>
internal sealed class DecodeSlot(int index)
{
    public int Index => index;

    /// <summary>The job that it works for; null: free for the next.</summary>
    public DecodeJob? Job { get; set; }

    /// <summary>Whether the engine has a sequence in it.</summary>
    public bool Begun { get; set; }

    /// <summary>The fusion that is bound to the sequence.</summary>
    public IFusionContext? Context { get; set; }

    /// <summary>What an adapter adds to it.</summary>
    public AdapterSet? Adapters { get; set; }

    /// <summary>What holds the fusion's tensors, where the job's end is theirs too.</summary>
    public IDisposable? Owner { get; set; }

    /// <summary>Whether what it holds is of use to another job.</summary>
    public bool Lasting { get; set; }

    /// <summary>Tokens that the engine has read.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>Tokens of prompt and answer that the engine has room for.</summary>
    public int Room { get; set; }

    /// <summary>When it was last given to a job, counted in jobs.</summary>
    public long Given { get; set; }

    /// <summary>The turn in which a piece of its prompt was last read.</summary>
    public long ReadIn { get; set; }

    /// <summary>Whether the prompt has been read to its last token.</summary>
    public bool Answers => Job is { Answered: > 0 };

    /// <summary>How many first tokens of a prompt need not be read again. Its last one is read in any case, for what follows from it.</summary>
    public int Shared(IReadOnlyList<int> prompt, FusedPrompt fused)
    {
        if (!Begun || !ReferenceEquals(Context, fused.Context) || !ReferenceEquals(Adapters, fused.Adapters)) return 0;
        var most = Math.Min(Tokens.Count, prompt.Count - 1);
        var count = 0;
        while (count < most && Tokens[count] == prompt[count]) count++;
        return count;
    }

    /// <summary>Lets go of the job's fusion.</summary>
    public void Disown()
    {
        var owner = Owner;
        Owner = null;
        owner?.Dispose();
    }
}
