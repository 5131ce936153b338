using System.Diagnostics;

namespace Plugins.Data.Tests;

/// <summary>
/// PostgreSQL with pgvector, from npm, in a process of its own that ends when this one does. It has one session, which its connections take turns at, and keeps nothing: what a kill leaves is
/// <see cref="PostgresServer"/>'s to show.
/// </summary>
public sealed class PgliteServer : IDisposable
{
    /// <summary>Where <c>sample.json</c> of the plugin has its connection from.</summary>
    public const string Variable = "PLUGINHOST_POSTGRES";

    private readonly Lazy<Process> process = new(Start);

    /// <summary>Starts it where it has not been; skips the test where it is not installed.</summary>
    public void Need() => _ = process.Value;

    public void Dispose()
    {
        if (!process.IsValueCreated) return;
        process.Value.StandardInput.Close();
        if (!process.Value.WaitForExit(10_000)) process.Value.Kill();
        process.Value.Dispose();
    }

    private static Process Start()
    {
        NpmPackages.Folder("@electric-sql/pglite", "0.5.14");
        NpmPackages.Folder("@electric-sql/pglite-socket", "0.2.15");
        NpmPackages.Folder("@electric-sql/pglite-pgvector", "0.0.15");
        Skip.IfNot(PostgresServer.InPath("node") is not null, "needs Node.js in PATH, which runs npm's @electric-sql/pglite");
        var script = Path.Combine(AppContext.BaseDirectory, "pglite.cjs");
        var process = Process.Start(new ProcessStartInfo("node", [script, Environment.GetEnvironmentVariable("PLUGINHOST_NPM")!]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var port = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("PGlite has ended before it listened.");
        Environment.SetEnvironmentVariable(Variable, $"Host=127.0.0.1;Port={port};Database=postgres;Username=postgres;SSL Mode=Disable;GSS Encryption Mode=Disable;No Reset On Close=true");
        return process;
    }
}
