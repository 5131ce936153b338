using System.Diagnostics;
using System.Reflection;

namespace PluginHost.Serving.Tests.Service;

public sealed class UnitFileTests
{
    private static string Folder { get; } = typeof(UnitFileTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "HostConfig").Value!;

    private static string Unit => File.ReadAllText(Path.Combine(Folder, "service", "pluginhost.service"));

    [Fact]
    public void Unit_Lines_AskForWhatTheServerDoes()
    {
        var lines = Unit.Split('\n');

        foreach (var line in (string[])["Type=notify", "KillMode=mixed", "ExecReload=/bin/kill -HUP $MAINPID", "Restart=always"]) Assert.Contains(line, lines);
        Assert.Contains(lines, line => line.StartsWith("WatchdogSec=", StringComparison.Ordinal));
    }

    // The lines are read by systemd itself; the program's path and the user are those of this machine, which has neither.
    [SkippableFact]
    public void Unit_SystemdAnalyze_FindsNothing()
    {
        Skip.IfNot(File.Exists("/usr/bin/systemd-analyze"), "systemd is not installed");
        var folder = Directory.CreateTempSubdirectory("unit").FullName;
        try
        {
            var file = Path.Combine(folder, "pluginhost.service");
            File.WriteAllText(file, Unit.Replace("/usr/local/bin/pluginhost", "/bin/true", StringComparison.Ordinal));
            Assert.Equal((0, ""), Verify(file));
            File.AppendAllText(file, "\n[Service]\nType=notifier\n"); // what it would say
            Assert.Contains("notifier", Verify(file).Said, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static (int Code, string Said) Verify(string file)
    {
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/systemd-analyze") { ArgumentList = { "verify", "--man=no", file }, RedirectStandardError = true, RedirectStandardOutput = true })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        // It also reads the machine's own units, which are not what is tested.
        return (process.ExitCode, string.Join('\n', said.Split('\n').Where(line => line.Contains("pluginhost", StringComparison.Ordinal))));
    }
}
