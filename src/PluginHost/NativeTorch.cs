using System.Runtime.InteropServices;
using System.Text;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost;

/// <summary>libtorch's start, and what has to be said to the C library before it.</summary>
internal static partial class NativeTorch
{
    /// <summary>
    /// OpenMP threads that wait must sleep: spinning ones take the cores from the others, and a training step on two busy cores is then
    /// ten times slower. And glibc keeps what a step frees for the next one, in one arena: with several, memory stays in those that a
    /// thread has left (a third of the process, and more with every new thread), and memory given back is paid for again at every step.
    /// </summary>
    private static readonly (string Name, string Value)[] Environment =
    [
        ("OMP_WAIT_POLICY", "PASSIVE"),
        ("MALLOC_ARENA_MAX", "1"),
        ("MALLOC_MMAP_MAX_", "0"),
        ("MALLOC_TRIM_THRESHOLD_", "2147483647"),
    ];

    /// <summary>
    /// Sees to it that the C library knows this process's settings; what the user has set stays. It reads them when a process starts, and the
    /// runtime's threads have arenas by the time any code runs, so the program is started anew in its own place: same process, same arguments.
    /// </summary>
    public static void Prepare()
    {
        if (!OperatingSystem.IsLinux()) return;
        var missing = Environment.Where(item => System.Environment.GetEnvironmentVariable(item.Name) is null).ToList();
        if (missing.Count == 0) return;
        try
        {
            // .NET's own environment is not the C library's, hence setenv.
            if (missing.Any(item => SetEnvironment(item.Name, item.Value, 0) != 0)) return;
            var arguments = Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/cmdline")).Split('\0')[..^1];
            _ = Execute("/proc/self/exe", [.. arguments, null]);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or EntryPointNotFoundException or DllNotFoundException)
        {
            // It works without, if slower.
        }
    }

    /// <summary>Loads libtorch.</summary>
    /// <exception cref="UserErrorException">It does not load here; the message says why and what helps.</exception>
    public static void Load()
    {
        try
        {
            zeros(1).Dispose();
        }
        catch (Exception error) when (error is TypeInitializationException or DllNotFoundException or NotSupportedException)
        {
            throw new UserErrorException(
                $"TorchSharp's native library does not load on this machine: {error.GetBaseException().Message.Trim()} "
                + "If it speaks of GLIBCXX, build the host on this machine (the build mends the library where libstdc++ is old); "
                + "else see that the folder of the executable holds libtorch for this platform.");
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    // Returns only where it failed.
    [LibraryImport("libc", EntryPoint = "execv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] arguments);
}
