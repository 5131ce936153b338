using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PluginHost.Retrieval.Documents;
using PluginHost.Sdk;

namespace PluginHost.Serving.Documents;

/// <summary>
/// Reads the files of vector stores, one after another, and puts their chunks into the stores' indexes. What is to be read stands in the database, so that a server that was killed goes on where it
/// was: a file counts as read when its chunks are on the disk, and as waiting until then.
/// </summary>
internal sealed class StoreIngestion(DocumentHost documents, ILogger<StoreIngestion> logger) : BackgroundService
{
    /// <summary>Readings of a file that may end with the server before it is given up.</summary>
    private const int MostAttempts = 3;

    private readonly Lock writing = new(); // what the database says and what an index has change together
    private readonly SemaphoreSlim wake = new(0);

    /// <summary>Tells it that a file waits.</summary>
    public void Wake() => wake.Release();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!documents.Searches) return;
        await Task.Yield(); // the server listens first
        try
        {
            await Task.Run(Reconcile, stoppingToken);
            while (true)
            {
                while (documents.Store.Begin() is { } next) await Task.Run(() => Read(next, stoppingToken), stoppingToken);
                await wake.WaitAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // what waits is read after the restart
        }
    }

    public override void Dispose()
    {
        wake.Dispose();
        base.Dispose();
    }

    // The database says what is to be there: an index that has been taken away is filled anew, and what one has too much goes.
    private void Reconcile()
    {
        foreach (var store in documents.Store.StoreIds())
        {
            try
            {
                var wanted = documents.Store.Searchable(store);
                documents.Indexes!.Use(store, opened =>
                {
                    var there = opened.Index.Documents;
                    foreach (var item in wanted.Where(item => there.GetValueOrDefault(item.File) != item.Fingerprint)) documents.Store.Again(item);
                    return opened.Index.Delete([.. there.Keys.Except(wanted.Select(item => item.File))]);
                });
            }
            catch (Exception error) when (error is UserErrorException or IOException)
            {
                logger.LogError("The vector store {Store} cannot be opened: {Reason}", store, error.Message);
            }
        }
    }

    private void Read(AttachedFile item, CancellationToken cancellation)
    {
        if (Failure(item, cancellation) is not var (code, message)) return;
        logger.LogWarning("{File} of {Store} is not taken in: {Reason}", item.Name, item.Store, message);
        documents.Store.Fail(item, code, message);
    }

    // Null: it has been taken in.
    private (string Code, string Message)? Failure(AttachedFile item, CancellationToken cancellation)
    {
        if (item.Attempts > MostAttempts) return ("server_error", $"the server has ended {MostAttempts} times while it read {item.Name}; attach it again to have it tried again");
        try
        {
            Put(item, cancellation);
            return null;
        }
        catch (Exception error) when (error is UserErrorException or BadSampleException)
        {
            return (DocumentReader.Extensions.Contains(Path.GetExtension(item.Name).ToLowerInvariant()) ? "invalid_file" : "unsupported_file", error.Message);
        }
        catch (Exception error) when (error is ObjectDisposedException or FileNotFoundException)
        {
            return ("server_error", "it was deleted while it was read"); // nobody is left to be told
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            logger.LogError(error, "Reading {File} of {Store} failed", item.Name, item.Store);
            return ("server_error", "the server failed to read it; its log says why. Attach it again to have it tried again");
        }
    }

    private void Put(AttachedFile item, CancellationToken cancellation)
    {
        var passages = DocumentReader.Read(item.Name, File.ReadAllBytes(documents.Contents.PathOf(item.File)), cancellation);
        List<Passage> chunks = [.. new Chunker(item.Chunk).Cut(passages)];
        if (chunks.Count == 0) throw new UserErrorException($"{item.Name}: has no text");
        var vectors = documents.Engine.Towers?.Passages([.. chunks.Select(chunk => chunk.Content)]);
        lock (writing)
        {
            if (documents.Store.FindAttached(item.Store, item.File) is not { Status: IngestionStatus.InProgress } now || now.Number != item.Number) return; // taken out, cancelled, or attached anew
            documents.Indexes!.Use(item.Store, opened =>
            {
                opened.Index.Put([new IndexedDocument(item.File, item.Fingerprint, [.. chunks.Select((chunk, number) => new IndexedChunk(chunk.Text, chunk.Place, vectors is null ? default : vectors[number]))])]);
                return true;
            });
            documents.Store.Complete(item, documents.Engine.Space);
        }
    }

    /// <summary>Takes a file out of a store; false: it is not there.</summary>
    public bool Detach(string store, string file, DateTimeOffset now)
    {
        lock (writing)
        {
            if (!documents.Store.Detach(store, file, now)) return false;
            Forget(store, file);
            return true;
        }
    }

    /// <summary>Gives up what of a batch has not been read.</summary>
    public void Cancel(FileBatch batch)
    {
        lock (writing) documents.Store.CancelBatch(batch.Id);
    }

    /// <summary>Deletes a file, and takes it out of all stores; false: there is none.</summary>
    public bool Delete(string file, DateTimeOffset now)
    {
        lock (writing)
        {
            if (documents.Store.DeleteFile(file, now) is not { } stores) return false;
            foreach (var store in stores) Forget(store, file);
            documents.Contents.Delete(file);
            return true;
        }
    }

    // Where it fails, the next start does it, and until then no search shows what is in no store.
    private void Forget(string store, string file)
    {
        if (!documents.Searches) return;
        try
        {
            documents.Indexes.Use(store, opened => opened.Index.Delete([file]));
        }
        catch (Exception error) when (error is ObjectDisposedException or IOException or UserErrorException)
        {
            logger.LogWarning("The chunks of {File} in {Store} are deleted later: {Reason}", file, store, error.Message);
        }
    }
}
