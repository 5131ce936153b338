using System.Runtime.InteropServices;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost;

/// <summary>libtorch's start, and what has to be said to the C library before it.</summary>
internal static partial class NativeTorch
{
    private const int TrimThreshold = -1;  // M_TRIM_THRESHOLD
    private const int MapMaximum = -4;     // M_MMAP_MAX
    private const int ArenaMaximum = -8;   // M_ARENA_MAX

    /// <summary>
    /// OpenMP threads that wait must sleep: spinning ones take the cores from the others, and a training step on two busy cores is then
    /// ten times slower. (.NET's own environment is not the C library's, hence setenv.) And glibc keeps what a step
    /// frees for the next one, in one arena: several grow for hours, and memory given back is paid for again at every step.
    /// </summary>
    public static void Prepare()
    {
        if (!OperatingSystem.IsWindows() && Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null)
            _ = SetEnvironment("OMP_WAIT_POLICY", "PASSIVE", 0);
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            _ = MallocOption(ArenaMaximum, 1);
            _ = MallocOption(MapMaximum, 0);
            _ = MallocOption(TrimThreshold, int.MaxValue);
        }
        catch (EntryPointNotFoundException)
        {
            // another C library than glibc
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

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallocOption(int option, int value);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
