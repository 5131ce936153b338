using System.Buffers;
using System.Security.Cryptography;
using PluginHost.Config;

namespace PluginHost.Serving.Documents;

/// <summary>The contents of files, each under its id in a folder.</summary>
internal sealed class FileContents(string folder)
{
    private const string Unfinished = ".part";

    /// <summary>Where a file's content is.</summary>
    public string PathOf(string id) => Path.Combine(folder, id);

    /// <summary>Writes a content; when this returns it is on the disk.</summary>
    /// <param name="id">The file's id.</param>
    /// <param name="content">Where it comes from.</param>
    /// <param name="limit">Most bytes.</param>
    /// <param name="cancellation">The caller has left.</param>
    /// <returns>Its size and hash; null: it is larger than the limit, and nothing is left of it.</returns>
    /// <exception cref="UnwritableException">The disk is full, or cannot be written to; nothing is left of it.</exception>
    public async Task<(long Bytes, string Hash)?> WriteAsync(string id, Stream content, long limit, CancellationToken cancellation)
    {
        var part = PathOf(id) + Unfinished;
        try
        {
            Disk(() => Directory.CreateDirectory(folder));
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var bytes = 0L;
            using (var file = Disk(() => new FileStream(part, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0)))
            {
                var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
                try
                {
                    while (await content.ReadAsync(buffer, cancellation) is var read and > 0)
                    {
                        if ((bytes += read) > limit) return null;
                        hash.AppendData(buffer, 0, read);
                        Disk(() => file.Write(buffer, 0, read));
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
                Disk(() => file.Flush(flushToDisk: true));
            }
            Disk(() => File.Move(part, PathOf(id)));
            AtomicFile.FlushFolder(folder);
            return (bytes, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
        finally
        {
            if (Directory.Exists(folder)) File.Delete(part); // there only if something failed
        }
    }

    /// <summary>Deletes a content, if it is there.</summary>
    public void Delete(string id)
    {
        if (Directory.Exists(folder)) File.Delete(PathOf(id));
    }

    /// <summary>Deletes what belongs to no file: what a kill has left.</summary>
    public void Tidy(IReadOnlySet<string> files)
    {
        if (!Directory.Exists(folder)) return;
        foreach (var path in Directory.GetFiles(folder).Where(path => !files.Contains(Path.GetFileName(path)))) File.Delete(path);
    }

    private static void Disk(Action act) => Disk(() =>
    {
        act();
        return true;
    });

    // What the disk says, as opposed to the caller's connection, which throws the same.
    private static T Disk<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UnwritableException(error.Message);
        }
    }
}

/// <summary>A content could not be written.</summary>
/// <param name="reason">What the disk says.</param>
internal sealed class UnwritableException(string reason) : Exception(reason);
