using System.Diagnostics;
using System.Text;

namespace PluginHost.EndToEnd.Tests;

/// <summary>Changes to a host while it trains.</summary>
public sealed class LiveTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly HostProcess host = new();

    public void Dispose() => host.Dispose();

    [Fact]
    public async Task Swap_SameCodeWhileTraining_GivesTheLossesOfARunNeverSwapped()
    {
        string[] settings = [.. HostProcess.Tiny(2), "--set", "stages.0.steps=300", "--set", "evaluate=[]"];
        host.Run(["run", HostProcess.Project("pocket.json"), .. settings]).Succeeded();
        var whole = Losses();

        using var run = Running(["run", HostProcess.Project("pocket.json"), .. settings]);
        await run.Says("pretrain 1/300");
        var swap = host.Run("plugins", "swap", "fusion.mid").Succeeded();
        await run.Ends();

        Assert.Contains("unloaded", swap.Output);
        Assert.True(run.Text.IndexOf("serves", StringComparison.Ordinal) < run.Text.IndexOf("stage pretrain: loss", StringComparison.Ordinal), "the swap came too late to tell");
        Assert.Equal(whole, Losses());
    }

    [Fact]
    public async Task Swap_UnknownPluginOrNoHost_IsAMistakeThatSaysWhatHelps()
    {
        using var run = Running(["run", HostProcess.Project("pocket.json"), .. HostProcess.Tiny(100), "--set", "evaluate=[]"]);
        await run.Says("pretrain 1/100");
        var unknown = host.Run("plugins", "swap", "fusion.mit");
        await run.Ends();
        var ended = host.Run("plugins", "swap", "fusion.mid");

        Assert.Equal(2, unknown.ExitCode);
        Assert.Contains("did you mean 'fusion.mid'?", unknown.Error);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("no host of yours is running", ended.Error);
    }

    [Fact]
    public async Task Watch_RebuiltPlugin_IsTakenInOnceItIsAtRest()
    {
        var fusion = CopyPlugins("Fusion.Mid");
        using var run = Running(["run", HostProcess.Project("pocket.json"), .. HostProcess.Tiny(2), "--set", "stages.0.steps=600", "--set", "evaluate=[]", "--watch"]);
        await run.Says("pretrain 1/600");
        // A slow copy: the assembly grows piece by piece.
        var bytes = await File.ReadAllBytesAsync(Path.Combine(fusion, "Fusion.Mid.dll"));
        await using (var file = File.Create(Path.Combine(fusion, "Fusion.Mid.dll")))
            foreach (var piece in bytes.Chunk(bytes.Length / 6 + 1))
            {
                await file.WriteAsync(piece);
                await file.FlushAsync();
                await Task.Delay(200);
            }
        await run.Says("serves");
        await Task.Delay(1500);
        run.Kill();
        Assert.Equal(1, run.Text.Split(" serves").Length - 1);
        Assert.DoesNotContain("does not take over", run.Text);
    }

    [Fact]
    public async Task Watch_ChangedProject_IsAppliedWholeOrNotAtAll()
    {
        var project = Path.Combine(host.Folder, "pocket.json");
        File.Copy(HostProcess.Project("pocket.json"), project);
        using var run = Running(["run", project, "--set", "data.settings.train=64", "--set", "data.settings.validation=8", "--set", "data.settings.test=8", "--set", "stages.0.batch=8", "--set", "evaluate=[]", "--set", "stages.0.steps=600", "--set", "stages.1.steps=1", "--watch"]);
        await run.Says("pretrain 1/600");
        Edit(project, "\"learningRate\": 0.002, \"warmup\": 30, \"finalRate\": 0.5", "\"learningRate\": 0.001, \"warmup\": 30, \"finalRate\": 0.5");
        await run.Says("stages.0.learningRate: 0.002 -> 0.001 (live, from the next step)");
        Edit(project, "\"learningRate\": 0.001", "\"learningRate\": 0.003");
        Edit(project, "\"seed\": 1", "\"seed\": 2");
        await run.Says("a new run is needed for that");
        Edit(project, "\"seed\": 2", "\"seed\": 1");
        Edit(project, "\"use\": \"fusion.mid\"", "\"use\": \"fusion.mad\"");
        await run.Says("did you mean 'fusion.mid'?");
        Edit(project, "\"use\": \"fusion.mad\"", "\"use\": \"fusion.late\"");
        await run.Says("rebuilds graph.fusion");
        run.Kill();
    }

    [Fact]
    public async Task Watch_ChangedHostFile_IsAppliedWholeOrNotAtAll()
    {
        var late = CopyPlugins("Fusion.Late");
        var more = Directory.CreateDirectory(Path.Combine(host.Folder, "more")).FullName;
        Directory.Move(late, Path.Combine(more, "Fusion.Late"));
        using var run = Running(["run", HostProcess.Project("pocket.json"), .. HostProcess.Tiny(2), "--set", "stages.0.steps=600", "--set", "evaluate=[]", "--watch"]);
        await run.Says("pretrain 1/600");
        Edit(host.HostFile, "\"device\":\"cpu\"", "\"device\":\"cuda\",\"quarantine\":{\"failures\":5}");
        await run.Says("device: \"cpu\" -> \"cuda\": a new run is needed for that");
        Edit(host.HostFile, "\"device\":\"cuda\",\"quarantine\":{\"failures\":5}", "\"device\":\"cpu\",\"quarantine\":{\"failures\":0}");
        await run.Says("'failures' is 0, outside its range 1 to 1000");
        Edit(host.HostFile, "\"failures\":0", "\"failures\":5");
        await run.Says("quarantine.failures: (none) -> 5 (live, from the next failure)");
        Edit(host.HostFile, "\"plugins\":[", $"\"plugins\":[\"{more}\",");
        await run.Says("fusion.late 0.1.0 can be used");
        Assert.Contains("fusion.late", host.Run("plugins", "list", "--run", "latest").Succeeded().Output);
        run.Kill();
    }

    private static void Edit(string path, string old, string now)
    {
        var text = File.ReadAllText(path);
        Assert.Contains(old, text);
        File.WriteAllText(path, text.Replace(old, now));
    }

    /// <summary>Makes the host read plugins from a folder of its own, where one is a copy and the others are links.</summary>
    private string CopyPlugins(string copied)
    {
        var folder = Directory.CreateDirectory(Path.Combine(host.Folder, "plugins")).FullName;
        foreach (var plugin in Directory.EnumerateDirectories(Path.Combine(Path.GetDirectoryName(HostProcess.Program)!, "plugins")))
        {
            var target = Path.Combine(folder, Path.GetFileName(plugin));
            if (Path.GetFileName(plugin) != copied)
            {
                Directory.CreateSymbolicLink(target, plugin);
                continue;
            }
            Directory.CreateDirectory(target);
            foreach (var file in Directory.EnumerateFiles(plugin)) File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }
        File.WriteAllText(host.HostFile, File.ReadAllText(host.HostFile).Replace("{host}/plugins", folder));
        return Path.Combine(folder, copied);
    }

    private List<double> Losses() =>
        [.. HostProcess.Json(Path.Combine(host.LatestRun(), "report.json"))["stages"]!.AsArray().Select(stage => (double)stage!["lastLoss"]!)];

    private RunningHost Running(string[] arguments) => new(host.Start(arguments));

    /// <summary>A host that is being listened to.</summary>
    private sealed class RunningHost : IDisposable
    {
        private readonly Process process;
        private readonly StringBuilder text = new();

        public RunningHost(Process process)
        {
            this.process = process;
            process.OutputDataReceived += Hear;
            process.ErrorDataReceived += Hear;
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        public string Text
        {
            get { lock (text) return text.ToString(); }
        }

        public async Task Says(string wanted)
        {
            for (var patience = Stopwatch.StartNew(); !Text.Contains(wanted, StringComparison.Ordinal); await Task.Delay(20))
                Assert.True(patience.Elapsed < Patience && !process.HasExited, $"the host never said '{wanted}':\n{Text}");
        }

        public async Task Ends()
        {
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, Text);
        }

        public void Kill() => process.Kill();

        public void Dispose()
        {
            if (!process.HasExited) process.Kill();
            process.Dispose();
        }

        private void Hear(object sender, DataReceivedEventArgs line)
        {
            lock (text) text.AppendLine(line.Data);
        }
    }
}
