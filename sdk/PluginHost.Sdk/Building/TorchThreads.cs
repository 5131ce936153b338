using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>
/// Loops on the threads that libtorch's own operators use: its OpenMP team where there is one. Threads of another pool would have to be
/// woken for each loop while those of the team go to sleep, and on a busy machine waking costs more than many a loop.
/// </summary>
public static unsafe class TorchThreads
{
    // void GOMP_parallel(void (*body)(void*), void* data, unsigned threads, unsigned flags): what `#pragma omp parallel` compiles to.
    private static readonly delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void> Team = FindTeam();

    /// <summary>Calls a body with each number from 0 up to a count, in any order and on as many threads as torch may use here.</summary>
    /// <param name="count">How many calls.</param>
    /// <param name="body">What to do; it must not run operators of torch.</param>
    /// <remarks>What a call throws is thrown here once all threads have stopped.</remarks>
    public static void ForEach(int count, Action<int> body)
    {
        var threads = Math.Min(get_num_threads(), count);
        if (threads <= 1)
            for (var i = 0; i < count; i++) body(i);
        else if (Team is null)
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, body);
        else
            new Loop(count, body).Run(threads);
    }

    private static delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void> FindTeam()
    {
        if (!OperatingSystem.IsLinux()) return null;
        _ = get_num_threads();  // libtorch is loaded, and with it the library of its OpenMP
        foreach (var line in File.ReadLines("/proc/self/maps"))
            if (line.Contains("/libgomp", StringComparison.Ordinal) && NativeLibrary.TryLoad(line[line.IndexOf('/', StringComparison.Ordinal)..], out var library)
                && NativeLibrary.TryGetExport(library, "GOMP_parallel", out var entry))
                return (delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void>)entry;
        return null;
    }

    [UnmanagedCallersOnly]
    private static void Member(nint loop) => ((Loop)GCHandle.FromIntPtr(loop).Target!).Take();

    private sealed class Loop(int count, Action<int> body)
    {
        private int next = -1;
        private ExceptionDispatchInfo? failure;

        public void Run(int threads)
        {
            var handle = GCHandle.Alloc(this);
            try
            {
                Team(&Member, GCHandle.ToIntPtr(handle), (uint)threads, 0);
            }
            finally
            {
                handle.Free();
            }
            failure?.Throw();
        }

        // An exception must not cross native frames.
        public void Take()
        {
            try
            {
                while (failure is null && Interlocked.Increment(ref next) is var i && i < count) body(i);
            }
            catch (Exception error)
            {
                failure ??= ExceptionDispatchInfo.Capture(error);
            }
        }
    }
}
