using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using PluginHost.Catalog.Children;

namespace PluginHost.Catalog.Unloading;

/// <summary>
/// Asks a child process what keeps an unloaded context in memory: a process cannot walk its own heap. The child first reads this
/// process's memory while it goes on; where collections spoil that, it holds the process still for a second or two. The search is
/// bounded in time and memory.
/// </summary>
internal static partial class RootSearch
{
    private const long Memory = 1L << 30;
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(20);
    private static readonly SemaphoreSlim OneAtATime = new(1);

    /// <summary>The path from a root to the context, or why none was found; for a person to read.</summary>
    public static async Task<string> FindAsync(UnloadedContext context)
    {
        await OneAtATime.WaitAsync().ConfigureAwait(false);
        using var limit = new CancellationTokenSource(Time);
        var error = "no path to it was found";
        try
        {
            // Twice each: a moment in the middle of a collection cannot be read, not even held still.
            foreach (var mode in (string[])[ChildProgram.GoOn, ChildProgram.GoOn, ChildProgram.Stop, ChildProgram.Stop])
            {
                string[] arguments = [ChildProgram.Roots, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), context.Handle.ToString("x", CultureInfo.InvariantCulture), mode];
                using var child = ChildProcess.Start(arguments, Memory);
                var (path, message) = await AskAsync(child, limit.Token).ConfigureAwait(false);
                if (path.Length > 0) return path;
                if (message.Length > 0) error = message;
            }
        }
        catch (OperationCanceledException)
        {
            error = $"the search took longer than {Time.TotalSeconds:0} s";
        }
        catch (Exception failure) when (failure is Win32Exception or InvalidOperationException or IOException)
        {
            error = failure.Message;
        }
        finally
        {
            OneAtATime.Release();
        }
        return $"an unknown root: {error}";
    }

    private static async Task<(string Path, string Error)> AskAsync(Process child, CancellationToken limit)
    {
        try
        {
            Permit(child.Id);
            var errors = child.StandardError.ReadToEndAsync(limit);
            await child.StandardInput.WriteLineAsync("go".AsMemory(), limit).ConfigureAwait(false);
            await child.StandardInput.FlushAsync(limit).ConfigureAwait(false);
            var path = (await child.StandardOutput.ReadToEndAsync(limit).ConfigureAwait(false)).Trim();
            var error = (await errors.ConfigureAwait(false)).Split('\n')[0].Trim();
            return (path, NotPermitted(error) ? $"this process may not be looked into from outside, which takes the right to ptrace ({error})" : error);
        }
        finally
        {
            if (!child.HasExited) child.Kill();
        }
    }

    private static bool NotPermitted(string error) =>
        error.Contains("attach", StringComparison.OrdinalIgnoreCase) || error.Contains("permit", StringComparison.OrdinalIgnoreCase);

    // Where only ancestors may look into a process (Yama's default), it can name one more.
    private static void Permit(int process)
    {
        const int SetTracer = 0x59616d61; // PR_SET_PTRACER
        if (OperatingSystem.IsLinux()) _ = ProcessControl(SetTracer, process, 0, 0, 0);
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nint argument, nint unused2, nint unused3, nint unused4);
}
