using Microsoft.Extensions.AI;

namespace PluginHost.Retrieval.Documents;

/// <summary>A stretch of a document that belongs together: what is under a heading, a page.</summary>
/// <param name="Place">Where it stands, for a person to read: <c>Install > Linux</c>, <c>page 3</c>; empty: nothing says.</param>
/// <param name="Text">Its text; of a picture the words of its file's name.</param>
public sealed record Passage(string Place, string Text)
{
    /// <summary>The picture that it is; null: it is text.</summary>
    public DataContent? Picture { get; init; }

    /// <summary>What an encoder reads of it.</summary>
    public AIContent Content => Picture is { } picture ? picture : new TextContent(Text);
}
