using System.Runtime.InteropServices;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost;

/// <summary>
/// libtorch's start. Settings that OpenMP reads once, when libtorch is loaded. Threads that wait must sleep: spinning ones take the cores from the
/// others, and a training step on two busy cores is then ten times slower. .NET's own environment is not the C library's, hence setenv.
/// </summary>
internal static partial class NativeTorch
{
    public static void Prepare()
    {
        if (!OperatingSystem.IsWindows() && Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null)
            _ = SetEnvironment("OMP_WAIT_POLICY", "PASSIVE", 0);
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
}
