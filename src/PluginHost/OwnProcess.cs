using System.Diagnostics;
using System.Text;

namespace PluginHost;

/// <summary>This program, started a second time.</summary>
internal static class OwnProcess
{
    /// <summary>Lines of the error output that are kept: the last ones say why it ended.</summary>
    private const int KeptLines = 12;

    /// <summary>How a command of this program is started.</summary>
    public static ProcessStartInfo Of(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!);
        // Started as 'dotnet pluginhost.dll', the process is dotnet's.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(typeof(OwnProcess).Assembly.Location);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return start;
    }

    /// <summary>Runs a command of this program to its end; it is killed when this process is stopped.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="output">Where its lines go; null: it shares this process's output, and shows its progress bars there.</param>
    /// <param name="cancellation">Kills it.</param>
    /// <returns>Its exit code, and the end of what it wrote as errors.</returns>
    public static (int ExitCode, string Error) Run(IEnumerable<string> arguments, TextWriter? output, CancellationToken cancellation)
    {
        var start = Of(arguments);
        (start.RedirectStandardError, start.RedirectStandardOutput, start.StandardErrorEncoding) = (true, output is not null, Encoding.UTF8);
        using var process = Process.Start(start)!;
        using var _ = cancellation.Register(() => process.Kill(entireProcessTree: true));
        var errors = new Queue<string>();
        process.ErrorDataReceived += (_, line) =>
        {
            if (string.IsNullOrWhiteSpace(line.Data)) return;
            errors.Enqueue(line.Data);
            if (errors.Count > KeptLines) errors.Dequeue();
        };
        process.BeginErrorReadLine();
        if (output is not null)
            while (process.StandardOutput.ReadLine() is { } line) output.WriteLine(line);
        process.WaitForExit();
        cancellation.ThrowIfCancellationRequested();
        return (process.ExitCode, string.Join('\n', errors));
    }
}
