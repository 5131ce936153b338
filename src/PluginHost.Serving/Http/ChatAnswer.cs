using System.Text;
using Microsoft.Extensions.AI;
using PluginHost.Runs.Decoding;

namespace PluginHost.Serving.Http;

/// <summary>An answer gathered from its updates.</summary>
internal sealed class ChatAnswer
{
    private readonly StringBuilder text = new();
    private readonly List<DecodedPiece> pieces = [];
    private readonly List<FunctionCallContent> calls = [];
    private readonly List<FunctionResultContent> results = [];

    public string Text => text.ToString();

    /// <summary>The tokens that it came in, where the model says.</summary>
    public IReadOnlyList<DecodedPiece> Pieces => pieces;

    public IReadOnlyList<FunctionCallContent> Calls => calls;

    /// <summary>What an agent's calls came to.</summary>
    public IReadOnlyList<FunctionResultContent> Results => results;

    /// <summary>Which passages it refers to.</summary>
    public Annotations Annotations { get; } = new();

    /// <summary>Why it ended.</summary>
    public ChatFinishReason Reason { get; private set; } = ChatFinishReason.Stop;

    /// <summary>What it took; null: the model did not say.</summary>
    public UsageDetails? Usage { get; private set; }

    /// <summary>Whether an update has come.</summary>
    public bool Begun { get; private set; }

    /// <summary>Takes an update in.</summary>
    /// <param name="update">The update.</param>
    /// <param name="kept">Whether its tokens and results are wanted later.</param>
    /// <returns>Whether it is the first.</returns>
    public bool Add(ChatResponseUpdate update, bool kept)
    {
        foreach (var content in update.Contents)
        {
            if (content is UsageContent used) Usage = used.Details;
            else if (content is TextContent said) text.Append(said.Text);
            else if (content is FunctionCallContent call) calls.Add(call);
            else if (content is FunctionResultContent result)
            {
                Annotations.Add(result, text.Length);
                if (kept) results.Add(result);
            }
        }
        if (kept && update.RawRepresentation is DecodedPiece piece) pieces.Add(piece);
        Reason = update.FinishReason ?? Reason;
        return !Begun && (Begun = true);
    }
}
