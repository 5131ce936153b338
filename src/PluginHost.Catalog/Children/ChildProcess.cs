using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace PluginHost.Catalog.Children;

/// <summary>Starts this assembly a second time, on the runtime and with the dependencies of the program that it is part of.</summary>
internal static class ChildProcess
{
    private static readonly string[] Needed = ["PATH", "DOTNET_ROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP", "SystemRoot", "LANG", "LC_ALL", "TZ"];

    /// <summary>Starts a child with its standard streams redirected.</summary>
    /// <param name="arguments">What <see cref="ChildProgram"/> is told.</param>
    /// <param name="managedBytes">What its managed heap may hold at most.</param>
    /// <param name="bare">Whether it sees only as much of the environment as a runtime needs: what else is there may be a secret.</param>
    /// <exception cref="InvalidOperationException">The program has no files from which a child could be started.</exception>
    public static Process Start(string[] arguments, long managedBytes, bool bare = false)
    {
        var dependencies = ((string?)AppContext.GetData("APP_CONTEXT_DEPS_FILES"))?.Split(';', ':')[0];
        if (string.IsNullOrEmpty(dependencies)) throw new InvalidOperationException("the program has no .deps.json file, so no child process can be started");
        var start = new ProcessStartInfo(Dotnet())
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = Encoding.UTF8,
        };
        string[] all =
        [
            "exec", "--depsfile", dependencies, "--runtimeconfig", Path.ChangeExtension(Path.ChangeExtension(dependencies, null), ".runtimeconfig.json"),
            typeof(ChildProcess).Assembly.Location, .. arguments,
        ];
        foreach (var argument in all) start.ArgumentList.Add(argument);
        if (bare)
            foreach (var name in start.Environment.Keys.Except(Needed, StringComparer.OrdinalIgnoreCase).ToArray()) start.Environment.Remove(name);
        start.Environment["DOTNET_GCHeapHardLimit"] = managedBytes.ToString("x", System.Globalization.CultureInfo.InvariantCulture);
        start.Environment["DOTNET_TieredPGO"] = "0";
        return Process.Start(start)!;
    }

    // Beside the shared frameworks: dotnet/shared/Microsoft.NETCore.App/10.0.0/ -> dotnet/dotnet
    private static string Dotnet() =>
        Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
}
