using System.Globalization;

namespace PluginHost.Live;

/// <summary>
/// Notices that files have changed and come to rest. Looks at sizes and times itself: notifications of the operating system miss renames
/// and deletions and come in the middle of slow copies.
/// </summary>
internal sealed class FolderWatch(Func<IReadOnlyList<string>> paths, Func<string, Task> changed) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    /// <summary>Looks in a row that have to agree before a change counts.</summary>
    private const int Rest = 3;

    private readonly Dictionary<string, string> known = paths().ToDictionary(path => path, Look);
    private readonly Dictionary<string, (string State, int Looks)> moving = [];
    private readonly CancellationTokenSource stop = new();
    private Task? watching;

    /// <summary>Begins to look.</summary>
    public FolderWatch Start()
    {
        watching = Task.Run(Watch);
        return this;
    }

    /// <summary>Ends after the change that is being taken in.</summary>
    public void Dispose()
    {
        stop.Cancel();
        watching?.Wait();
        stop.Dispose();
    }

    private async Task Watch()
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token))
                foreach (var path in paths())
                    if (HasSettled(path)) await changed(path);
        }
        catch (OperationCanceledException)
        {
            // no longer watched
        }
    }

    private bool HasSettled(string path)
    {
        var state = Look(path);
        if (known.TryAdd(path, state) || known[path] == state)
        {
            moving.Remove(path);
            return false;
        }
        var looks = moving.TryGetValue(path, out var last) && last.State == state ? last.Looks + 1 : 1;
        moving[path] = (state, looks);
        if (looks < Rest) return false;
        known[path] = state;
        return true;
    }

    private static string Look(string path)
    {
        try
        {
            var files = File.Exists(path) ? [path] : Directory.Exists(path) ? Directory.GetFiles(path, "*", SearchOption.AllDirectories) : [];
            return string.Join('\n', files.Order(StringComparer.Ordinal).Select(file => new FileInfo(file)).Select(file =>
                string.Create(CultureInfo.InvariantCulture, $"{file.FullName} {file.Length} {file.LastWriteTimeUtc.Ticks}")));
        }
        catch (IOException)
        {
            return Guid.NewGuid().ToString(); // went away while being looked at: still moving
        }
    }
}
