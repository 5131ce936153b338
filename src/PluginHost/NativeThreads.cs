using System.Runtime.InteropServices;

namespace PluginHost;

/// <summary>
/// Settings that OpenMP reads once, when libtorch is loaded. Threads that wait must sleep: spinning ones take the cores from the
/// others, and a training step on two busy cores is then ten times slower. .NET's own environment is not the C library's, hence setenv.
/// </summary>
internal static partial class NativeThreads
{
    public static void Prepare()
    {
        if (!OperatingSystem.IsWindows() && Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null)
            _ = SetEnvironment("OMP_WAIT_POLICY", "PASSIVE", 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
