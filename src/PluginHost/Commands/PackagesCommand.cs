using System.Text.Json;
using PluginHost.Catalog.Install;
using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Terminal;

namespace PluginHost.Commands;

/// <summary><c>pluginhost plugins install|update|remove|rollback|verify</c>: the packages of the store.</summary>
internal sealed class PackagesCommand(string? hostFile, bool json, TextWriter output)
{
    private readonly HostConfig host = HostFile.Read(hostFile);

    /// <summary>Installs a package, or restores what the lock file names.</summary>
    /// <returns>The exit code: 0.</returns>
    /// <exception cref="UserErrorException">The arguments are wrong.</exception>
    public Task<int> InstallAsync(string? request, string? source, CancellationToken cancellation)
    {
        if (request is null && source is not null) throw new UserErrorException("plugins install: --source is for the package named before it; without a package, each comes from where it came from");
        return ChangeAsync(installer => request is null ? installer.RestoreAsync(cancellation) : installer.InstallAsync(request, source, cancellation));
    }

    /// <inheritdoc cref="InstallAsync"/>
    public Task<int> UpdateAsync(string? id, CancellationToken cancellation) => ChangeAsync(installer => installer.UpdateAsync(id, cancellation));

    /// <inheritdoc cref="InstallAsync"/>
    public Task<int> RemoveAsync(string id, CancellationToken cancellation) => ChangeAsync(installer => installer.RemoveAsync(id, cancellation));

    /// <inheritdoc cref="InstallAsync"/>
    public Task<int> RollbackAsync(string? id, CancellationToken cancellation) => ChangeAsync(installer => installer.RollbackAsync(id, cancellation));

    /// <summary>Compares every installed file with the lock file.</summary>
    /// <returns>The exit code: 0 when all is as it was installed, else 1.</returns>
    public int Verify()
    {
        var checks = new PluginInstaller(host).Verify();
        var damaged = checks.Count(check => check.Differences.Count > 0);
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(new { packages = checks.Select(check => new { id = check.Package.Id, version = check.Package.Version, ok = check.Differences.Count == 0, differences = check.Differences }) }, PlainJson.Options));
        }
        else
        {
            foreach (var line in checks.SelectMany(check => check.Differences)) output.WriteLine(line);
            output.WriteLine($"{checks.Count - damaged} of {checks.Count} packages are as they were installed{(damaged > 0 ? "; 'pluginhost plugins install' without a package restores the others" : "")}");
        }
        return damaged == 0 ? ExitCode.Success : ExitCode.Failed;
    }

    private async Task<int> ChangeAsync(Func<PluginInstaller, Task<IReadOnlyList<PackageChange>>> change)
    {
        var progress = new WorkProgress(json ? Console.Error : output, terminal: !json && !Console.IsOutputRedirected);
        IReadOnlyList<PackageChange> changes;
        try
        {
            changes = await change(new PluginInstaller(host, step => progress.Show(step.Doing, step.Part))).ConfigureAwait(false);
        }
        finally
        {
            progress.End();
        }
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(new { changes = changes.Select(item => new { id = item.Id, before = item.Before, after = item.After, source = item.Source }) }, PlainJson.Options));
            return ExitCode.Success;
        }
        foreach (var item in changes) output.WriteLine(Sentence(item));
        if (changes.Count == 0) output.WriteLine("nothing to change");
        return ExitCode.Success;
    }

    private static string Sentence(PackageChange change) => (change.Before, change.After) switch
    {
        (null, var after) => $"installed {change.Id} {after} from {change.Source}",
        (var before, null) => $"removed {change.Id} {before}",
        var (before, after) => $"{change.Id} {before} -> {after} from {change.Source}",
    };
}
