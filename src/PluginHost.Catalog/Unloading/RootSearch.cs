using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using PluginHost.Catalog.Children;

namespace PluginHost.Catalog.Unloading;

/// <summary>
/// Asks a child process what keeps an unloaded context in memory: a process cannot walk its own heap. The child reads this
/// process's memory while it goes on; it is bounded in time and memory.
/// </summary>
internal static partial class RootSearch
{
    private const long Memory = 1L << 30;
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(20);

    /// <summary>The path from a root to the context, or why none was found; for a person to read.</summary>
    public static async Task<string> FindAsync(UnloadedContext context)
    {
        try
        {
            string[] arguments = [ChildProgram.Roots, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), context.Handle.ToString("x", CultureInfo.InvariantCulture)];
            using var child = ChildProcess.Start(arguments, Memory);
            return await AskAsync(child).ConfigureAwait(false);
        }
        catch (Exception error) when (error is Win32Exception or InvalidOperationException or IOException)
        {
            return $"an unknown root: {error.Message}";
        }
    }

    private static async Task<string> AskAsync(Process child)
    {
        using var limit = new CancellationTokenSource(Time);
        try
        {
            Permit(child.Id);
            var errors = child.StandardError.ReadToEndAsync(limit.Token);
            await child.StandardInput.WriteLineAsync("go").ConfigureAwait(false);
            await child.StandardInput.FlushAsync(limit.Token).ConfigureAwait(false);
            var path = (await child.StandardOutput.ReadToEndAsync(limit.Token).ConfigureAwait(false)).Trim();
            if (path.Length > 0) return path;
            var error = (await errors.ConfigureAwait(false)).Split('\n')[0].Trim();
            return $"an unknown root: the process that looks for it ended with '{error}'";
        }
        catch (OperationCanceledException)
        {
            return $"an unknown root: the search took longer than {Time.TotalSeconds:0} s";
        }
        finally
        {
            if (!child.HasExited) child.Kill();
        }
    }

    // Where only ancestors may look into a process (Yama's default), it can name one more.
    private static void Permit(int process)
    {
        const int SetTracer = 0x59616d61; // PR_SET_PTRACER
        if (OperatingSystem.IsLinux()) _ = ProcessControl(SetTracer, process, 0, 0, 0);
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nint argument, nint unused2, nint unused3, nint unused4);
}
