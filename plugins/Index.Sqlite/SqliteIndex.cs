// Documents in one SQLite file: words by its FTS5 (BM25, Robertson et al. 1994, with SQLite's k1 = 1.2 and b = 0.75), and beside it a file of vectors, mapped into
// memory and searched whole. An exact search needs no training and forgets nothing; up to some hundred thousand chunks it takes milliseconds.
// SQLite's own interface is used: ADO.NET's keeps a timer and listens to the end of the process, and would keep the plugin in memory.
using System.ComponentModel;
using PluginHost.Sdk;

namespace Index.Sqlite;

/// <summary>Settings of <see cref="SqliteIndex"/>.</summary>
/// <param name="Stem">Whether words are reduced to their English stems.</param>
public sealed record SqliteOptions(
    [property: Description("Whether words are reduced to their stems (Porter, for English), so that 'dogs' finds 'dog'. Fixed when an index is made.")] bool Stem = true);

/// <summary>An index in a folder.</summary>
[Plugin("index.sqlite", "Documents in a SQLite file: BM25 by FTS5, and exact vector search over a file mapped into memory.")]
public sealed class SqliteIndex(SqliteOptions options) : IIndexPlugin
{
    /// <inheritdoc/>
    public IDocumentIndex Open(IndexContext context) => new DocumentIndex(context.Folder, context.Width, options.Stem);
}
