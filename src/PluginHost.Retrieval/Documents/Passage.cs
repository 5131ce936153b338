namespace PluginHost.Retrieval.Documents;

/// <summary>A stretch of a document that belongs together: what is under a heading, a page.</summary>
/// <param name="Place">Where it stands, for a person to read: <c>Install > Linux</c>, <c>page 3</c>; empty: nothing says.</param>
/// <param name="Text">Its text.</param>
public sealed record Passage(string Place, string Text);
