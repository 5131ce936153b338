using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Plugins.Data.Tests;

/// <summary>The machine's own PostgreSQL, with a cluster of its own in a temporary folder, at a free port of this machine; it ends when this process does. It need not have pgvector.</summary>
internal sealed class PostgresServer : IDisposable
{
    public const string Password = "letters and digits 1";

    private readonly string folder = Directory.CreateTempSubdirectory("postgres").FullName;
    private readonly string programs;
    private Process? process;

    /// <summary>Makes the cluster, and starts it; skips the test where PostgreSQL is not installed.</summary>
    public PostgresServer()
    {
        programs = Programs();
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        File.WriteAllText(Path.Combine(folder, "password"), Password);
        using var making = Process.Start(Unprivileged("initdb", "-D", Data, "-U", "owner", "--pwfile", Path.Combine(folder, "password"), "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"))!;
        Assert.True(making.StandardOutput.ReadToEnd().Length > 0);
        making.WaitForExit();
        Assert.Equal(0, making.ExitCode);
        Start();
    }

    public int Port { get; }

    /// <summary>Whether pgvector is installed.</summary>
    public bool HasVectors
    {
        get
        {
            using var asking = Process.Start(new ProcessStartInfo(Path.Combine(programs, "pg_config"), ["--sharedir"]) { RedirectStandardOutput = true })!;
            return File.Exists(Path.Combine(asking.StandardOutput.ReadToEnd().Trim(), "extension", "vector.control"));
        }
    }

    private string Data => Path.Combine(folder, "data");

    /// <summary>Starts it, and waits until it lets in. As long as what a kill has left still runs, a server ends at once, and is started again.</summary>
    public void Start()
    {
        for (var again = 0; again < 12; again++)
        {
            // The shell ends the server as soon as nobody holds the other end of its input, whatever became of this process.
            var server = Unprivileged("postgres", "-D", Data, "-p", $"{Port}", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "logging_collector=off");
            process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "\"$0\" \"$@\" > /dev/null 2>&1 & cat > /dev/null; kill -KILL $!; wait", server.FileName, .. server.ArgumentList]) { RedirectStandardInput = true })!;
            for (var asked = 0; asked < 100; asked++)
            {
                if (IsReady()) return;
                Thread.Sleep(100);
            }
            Kill();
        }
        throw new InvalidOperationException("The server does not start.");
    }

    /// <summary>Kills it (SIGKILL).</summary>
    public void Kill()
    {
        process!.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
        process = null;
        // Its backends end when they see that it is gone; until then no other starts on their data.
        Thread.Sleep(500);
    }

    public void Dispose()
    {
        if (process is not null) Kill();
        // Those that it had started end when they see that it is gone, and may write until then.
        for (var again = 0; Directory.Exists(folder); again++)
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException) when (again < 50)
            {
                Thread.Sleep(100);
            }
    }

    /// <summary>A program's file; null: it is not installed.</summary>
    public static string? InPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(path => Path.Combine(path, program)).FirstOrDefault(File.Exists);

    private bool IsReady()
    {
        using var asking = Process.Start(Unprivileged("pg_isready", "-q", "-h", "127.0.0.1", "-p", $"{Port}"))!;
        asking.WaitForExit();
        return asking.ExitCode == 0;
    }

    // Distributions keep the server's programs by version, out of the path.
    private static string Programs()
    {
        var debian = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin")).LastOrDefault(path => File.Exists(Path.Combine(path, "initdb"))) : null;
        var found = debian ?? Path.GetDirectoryName(InPath("initdb"));
        Skip.If(found is null, "needs a PostgreSQL server's programs: apt-get install postgresql");
        return found!;
    }

    // The server refuses to be run by root.
    private ProcessStartInfo Unprivileged(string program, params string[] arguments)
    {
        string[] line = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
        line = [.. line, Path.Combine(programs, program), .. arguments];
        return new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, WorkingDirectory = folder };
    }
}
