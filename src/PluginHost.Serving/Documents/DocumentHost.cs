using System.Diagnostics.CodeAnalysis;
using PluginHost.Sdk;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Documents;

/// <summary>All documents of a server: files, vector stores and their indexes, below one folder.</summary>
public sealed class DocumentHost : IDisposable
{
    private readonly RetrievalEngine? engine;

    /// <param name="folder">Where they are kept; it is made when it is not there.</param>
    /// <param name="engine">What they are searched with; the caller's to dispose. Null: no plugins that could are installed.</param>
    /// <exception cref="UserErrorException">Another server has the folder, or its database is damaged.</exception>
    public DocumentHost(string folder, RetrievalEngine? engine) : this(folder, engine, 0)
    {
    }

    internal DocumentHost(string folder, RetrievalEngine? engine, int mostPages)
    {
        this.engine = engine;
        Store = new DocumentStore(Path.Combine(folder, "documents.db"), mostPages);
        Contents = new FileContents(Path.Combine(folder, "files"));
        if (engine is not null) Indexes = new StoreIndexes(Path.Combine(folder, "stores"), engine);
        // Deleting something is acknowledged before all of it is gone: what a kill has left goes now.
        Contents.Tidy(Store.FileIds());
        Indexes?.Tidy(Store.StoreIds());
        if (engine is not null) Store.Enter(engine.Space);
    }

    internal DocumentStore Store { get; }

    internal FileContents Contents { get; }

    internal StoreIndexes? Indexes { get; }

    /// <summary>What documents are searched with.</summary>
    /// <exception cref="ApiException">Nothing is installed that could.</exception>
    internal RetrievalEngine Engine => engine ?? throw Missing();

    /// <summary>Whether documents can be searched.</summary>
    [MemberNotNullWhen(true, nameof(Indexes))]
    internal bool Searches => Indexes is not null;

    /// <summary>Searches for tools; null: nothing searches.</summary>
    public IPassageSearch? Passages => engine is null ? null : new StorePassages(this);

    /// <summary>Closes everything.</summary>
    public void Dispose()
    {
        Indexes?.Dispose();
        Store.Dispose();
    }

    private static ApiException Missing() =>
        new(ApiError.Missing("this server searches no documents: install the plugins index.sqlite and retriever.lexical, or name a retrieval file in server.retrieval of the host file", null, "retrieval_not_configured"));
}
