using System.Threading.Channels;

namespace PluginHost.Runs.Decoding;

/// <summary>An answer as it grows. Nobody waits for its reader: what has not been read is kept, one piece a token at most.</summary>
public sealed class DecodeStream
{
    internal DecodeStream(ChannelReader<DecodedPiece> pieces, Task<DecodeOutcome> outcome) => (Pieces, Outcome) = (pieces, outcome);

    /// <summary>The answer's pieces; completes, always without an exception, when the answer has ended.</summary>
    public ChannelReader<DecodedPiece> Pieces { get; }

    /// <summary>How it ended; completes after <see cref="Pieces"/>, always without an exception.</summary>
    public Task<DecodeOutcome> Outcome { get; }
}

/// <summary>One token of an answer.</summary>
/// <param name="Text">
/// What it adds to the text. Less than its own text, or nothing, while a character is incomplete or a stop text may have begun; a later piece
/// brings what was held back. The texts of all pieces are the answer.
/// </param>
/// <param name="Token">Its id; null in a last piece that only brings what was held back.</param>
/// <param name="LogProbability">How likely it was; null when nobody asked.</param>
public sealed record DecodedPiece(string Text, int? Token, TokenLogProbability? LogProbability = null);

/// <summary>How likely a token was under the model's own distribution, whatever the sampling.</summary>
/// <param name="Value">Natural logarithm of its probability.</param>
/// <param name="Alternatives">The most likely tokens at its place, the most likely first; the chosen one may be among them.</param>
public sealed record TokenLogProbability(double Value, IReadOnlyList<(int Token, double Value)> Alternatives);

/// <summary>How an answer ended.</summary>
/// <param name="Reason">Why.</param>
/// <param name="PromptTokens">Tokens of the prompt, the fusion's prefix not counted.</param>
/// <param name="ReusedTokens">Those of them that an earlier request had left in the slot.</param>
/// <param name="AnswerTokens">Tokens of the answer, its end not counted.</param>
/// <param name="Error">What failed, for people; null unless the reason is <see cref="FinishReason.Error"/>.</param>
public sealed record DecodeOutcome(FinishReason Reason, int PromptTokens, int ReusedTokens, int AnswerTokens, string? Error = null);

/// <summary>Why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>The model ended it, or a stop text came.</summary>
    Stop,

    /// <summary>It has the most tokens that it may have, or its slot is full.</summary>
    Length,

    /// <summary>Its sender cancelled it, or the batch was disposed.</summary>
    Cancelled,

    /// <summary>Something failed.</summary>
    Error,
}
