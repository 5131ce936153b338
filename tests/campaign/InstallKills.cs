using System.Diagnostics;
using System.Text.Json;
using PluginHost.Catalog;
using PluginHost.Catalog.Install;
using PluginHost.Catalog.Tests.Install;
using PluginHost.Config;

namespace PluginHost.Campaign;

/// <summary>
/// Kills an update of a package (SIGKILL) at a random moment, again and again. After each kill the old version is active and
/// whole, or the new one is; nothing of the other is in the way of the next update.
/// </summary>
internal sealed class InstallKills : IDisposable
{
    private const string Id = "Acme.Plain";
    private readonly string root = Directory.CreateTempSubdirectory("pluginhost-kills-").FullName;
    private readonly string program;
    private readonly Action<string> say;
    private readonly Random random = new(1);
    private readonly HostConfig host;

    public InstallKills(string program, Action<string> say)
    {
        (this.program, this.say) = (program, say);
        var feed = Path.Combine(root, "feed");
        foreach (var version in new[] { "1.0.0", "2.0.0" })
        {
            var package = TestPackage.Media(Id, version);
            // Several files of some size, so that a kill has something to interrupt.
            for (var i = 0; i < 8; i++)
            {
                var content = new byte[1 << 18];
                random.NextBytes(content);
                package.Files[$"plugin/data/{i}.bin"] = content;
            }
            package.WriteTo(feed);
        }
        var file = Path.Combine(root, "host.json");
        File.WriteAllText(file, JsonSerializer.Serialize(new { plugins = Array.Empty<string>(), install = new { store = Path.Combine(root, "store"), feeds = new { local = feed } } }));
        host = HostFile.Read(file);
    }

    /// <summary>Runs the campaign.</summary>
    /// <returns>How many kills came before the change was made, and how many after.</returns>
    /// <exception cref="InvalidOperationException">Something half-installed was found.</exception>
    public async Task<(int Before, int After)> RunAsync(int kills)
    {
        await new PluginInstaller(host).InstallAsync($"{Id}@1.0.0", null, default);
        var length = await UpdateAsync(null);
        var (before, after, leftovers) = (0, 0, 0);
        for (var kill = 1; kill <= kills; kill++)
        {
            await ResetAsync();
            await UpdateAsync(length * random.NextDouble() * 1.3);
            var version = Check();
            if (version == "1.0.0") before++;
            else after++;
            if (Directory.Exists(Path.Combine(host.Install.Store, ".staging")) || (version == "1.0.0" && Directory.Exists(Path.Combine(host.Install.Store, Id.ToLowerInvariant(), "2.0.0")))) leftovers++;
            say($"kill {kill} of {kills}: {version} is active and whole");
        }
        await ResetAsync();
        await UpdateAsync(null);
        if (Check() != "2.0.0") throw new InvalidOperationException("an update after the kills did not come through");
        if (Directory.Exists(Path.Combine(host.Install.Store, ".staging"))) throw new InvalidOperationException("the last update left its staging folder");
        say($"{before} kills before the change was made, {after} after; {leftovers} left files for the next change to clean up; nothing half-installed");
        return (before, after);
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    // Version 1.0.0 alone, as if 2.0.0 had never been there. This also is the change that cleans up after the kill.
    private async Task ResetAsync()
    {
        var installer = new PluginInstaller(host);
        await installer.RemoveAsync(Id, default);
        if (Directory.EnumerateDirectories(host.Install.Store).Any()) throw new InvalidOperationException($"left over: {string.Join(", ", Directory.EnumerateFileSystemEntries(host.Install.Store))}");
        await installer.InstallAsync($"{Id}@1.0.0", null, default);
    }

    /// <summary>Starts an update, and kills it that long after its first sign of life.</summary>
    /// <returns>Milliseconds from the first sign of life to the end.</returns>
    private async Task<double> UpdateAsync(double? killAfter)
    {
        var start = new ProcessStartInfo("dotnet", [program, "plugins", "update", Id, "--host", host.Path]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardOutput.ReadLineAsync();
        var clock = Stopwatch.StartNew();
        var rest = process.StandardOutput.ReadToEndAsync();
        if (killAfter is { } milliseconds)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(milliseconds));
            process.Kill();
        }
        await process.WaitForExitAsync();
        await rest;
        if (killAfter is null && process.ExitCode != 0) throw new InvalidOperationException($"an update that nobody killed failed: {await error}");
        return clock.Elapsed.TotalMilliseconds;
    }

    private string Check()
    {
        var (package, differences) = new PluginInstaller(host).Verify().Single();
        if (differences.Count > 0) throw new InvalidOperationException($"half-installed: {string.Join("; ", differences)}");
        using var catalog = PluginCatalog.Discover(host);
        if (catalog.Installed.Faults.Count > 0 || catalog.Installed.All.Single().Version != package.Version) throw new InvalidOperationException($"half-installed: {string.Join("; ", catalog.Installed.Faults)}");
        return package.Version;
    }
}
