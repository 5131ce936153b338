using System.Threading.Channels;
using PluginHost.Sdk;

namespace PluginHost.Runs.Decoding;

/// <summary>A request on its way: what has been answered, and who reads it. The engine's thread alone writes to it.</summary>
internal sealed class DecodeJob
{
    private readonly Channel<DecodedPiece> pieces = Channel.CreateUnbounded<DecodedPiece>(new UnboundedChannelOptions { SingleWriter = true });
    private readonly TaskCompletionSource<DecodeOutcome> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken cancellation;
    private readonly int end;
    private readonly int known;
    private readonly TokenChooser chooser;
    private readonly GrowingText text;
    private readonly StopTexts stops;

    public DecodeJob(DecodeRequest request, ITokenizer tokenizer, int end, CancellationToken cancellation)
    {
        (Request, this.end, this.cancellation, known) = (request, end, cancellation, tokenizer.Vocabulary);
        (chooser, text, stops) = (new TokenChooser(request, end), new GrowingText(tokenizer), new StopTexts(request.Stop));
        Stream = new DecodeStream(pieces.Reader, outcome.Task);
    }

    public DecodeRequest Request { get; }

    public DecodeStream Stream { get; }

    public bool Cancelled => cancellation.IsCancellationRequested;

    /// <summary>Tokens of the prompt that did not have to be read.</summary>
    public int Reused { get; set; }

    /// <summary>Tokens of the answer.</summary>
    public int Answered { get; private set; }

    /// <summary>The last of them, which the engine has not read.</summary>
    public int Last { get; private set; }

    /// <summary>Chooses the next token and hands it out.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="room">Tokens of prompt and answer that the slot can hold.</param>
    /// <param name="scratch">Room for the choice.</param>
    /// <returns>Why the answer has ended with it; null: it goes on.</returns>
    public FinishReason? Advance(ReadOnlySpan<float> logits, int room, ChoiceScratch scratch)
    {
        // A model may have more outputs than its tokenizer has tokens, to make its matrices even.
        var (token, likely) = chooser.Choose(logits[..Math.Min(logits.Length, known)], scratch);
        if (token == end) return FinishReason.Stop;
        Last = token;
        Answered++;
        pieces.Writer.TryWrite(new DecodedPiece(stops.Add(text.Add(token)), token, likely));
        if (stops.Stopped) return FinishReason.Stop;
        return Answered == Request.Sampling.MaxTokens || Request.Prompt.Count + Answered > room ? FinishReason.Length : null;
    }

    /// <summary>What was held back, as a last piece.</summary>
    public void Flush()
    {
        var rest = stops.Add(text.Flush()) + stops.Flush();
        if (rest.Length > 0) pieces.Writer.TryWrite(new DecodedPiece(rest, null));
    }

    /// <summary>Ends the streams; once.</summary>
    public void End(FinishReason reason, string? error = null)
    {
        var ended = new DecodeOutcome(reason, Request.Prompt.Count, Reused, Answered, error);
        pieces.Writer.Complete();
        outcome.SetResult(ended);
    }
}
