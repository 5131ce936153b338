using System.Text.Json.Nodes;

namespace PluginHost.EndToEnd.Tests;

public sealed class CommandTests : IDisposable
{
    private readonly HostProcess host = new();

    public void Dispose() => host.Dispose();

    [Fact]
    public void Plan_Pocket_PrintsShapesAndParameters()
    {
        var outcome = host.Run("plan", HostProcess.Project("pocket.json")).Succeeded();
        Assert.Contains("fusion.mid", outcome.Output);
        Assert.Contains("seq[B,4,128]", outcome.Output);
        Assert.Contains("parameters", outcome.Output);
    }

    [Fact]
    public void Plan_Bench_HasTheBenchmarksParameterCount()
    {
        var outcome = host.Run("plan", HostProcess.Project("bench.json"), "--json").Succeeded();
        Assert.Equal(16_913_280, (long)JsonNode.Parse(outcome.Output)!["parameters"]!);
    }

    // A thread that ends after a plugin that it used has been unloaded damages the heap.
    [Fact]
    public void Host_ThreadPool_KeepsItsThreads() =>
        Assert.Equal(-1, (int)HostProcess.Json(Path.ChangeExtension(HostProcess.Program, "runtimeconfig.json"))["runtimeOptions"]!["configProperties"]!["System.Threading.ThreadPool.ThreadsToKeepAlive"]!);

    [Theory]
    [InlineData("graph.fusion.use=fusion.late", 0, "fusion.late")]
    [InlineData("graph.fusion.in.image=image.pooled", 2, "image.pooled")]
    [InlineData("graph.image.settings.width=130", 2, "heads")]
    [InlineData("graph.fusion.use=fusion.lat", 2, "fusion.late")]
    [InlineData("stages.0.stepz=3", 2, "steps")]
    public void Plan_SetOneValue_PlansOrExplains(string set, int exitCode, string expected)
    {
        var outcome = host.Run("plan", HostProcess.Project("pocket.json"), "--set", set);
        Assert.Equal(exitCode, outcome.ExitCode);
        Assert.Contains(expected, exitCode == 0 ? outcome.Output : outcome.Error);
        Assert.DoesNotContain("   at ", outcome.Error); // no stack trace
    }

    [Theory]
    [InlineData("stamps.json", "apt-get install tuxpaint-stamps-default")]
    public void Run_DataNotInstalled_SaysWhatToInstall(string project, string expected)
    {
        var outcome = host.Run("run", HostProcess.Project(project), "--set", $"data.settings.folder={host.Folder}/nowhere");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(expected, outcome.Error);
    }

    [Theory]
    [InlineData("run", "nothing.json")]
    [InlineData("plan", "nothing.json")]
    [InlineData("chat", "latest")]
    [InlineData("plugins", "inspect", "fusion.midd")]
    [InlineData("dance")]
    public void Command_UsersMistake_IsExitCode2WithoutAStackTrace(params string[] arguments)
    {
        var outcome = host.Run(arguments);
        Assert.Equal(2, outcome.ExitCode);
        Assert.NotEmpty(outcome.Error);
        Assert.DoesNotContain("   at ", outcome.Error);
    }

    [Fact]
    public void PluginsList_Json_HasEveryFirstPartyPlugin()
    {
        var plugins = JsonNode.Parse(host.Run("plugins", "list", "--json").Succeeded().Output)!["plugins"]!.AsArray();
        var ids = plugins.Select(plugin => (string)plugin!["id"]!).ToList();
        var declared = Directory.GetDirectories(Path.Combine(HostProcess.Root, "plugins")).SelectMany(folder => Directory.GetFiles(folder, "*.cs"))
            .SelectMany(File.ReadAllLines).Count(line => line.StartsWith("[Plugin(\"", StringComparison.Ordinal));
        Assert.Equal(declared, ids.Count);
        Assert.Contains("encoder.log-mel", ids);
    }

    [Fact]
    public void PluginsInspect_Mid_ShowsPortsSettingsVersionAndHash()
    {
        var output = host.Run("plugins", "inspect", "fusion.mid").Succeeded().Output;
        foreach (var expected in new[] { "seq[B,N_i,D_i]", "fusion[D,L,V]", "every", "0.1.0", "sha256" }) Assert.Contains(expected, output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Chat_AboutAPicture_Answers()
    {
        host.Run(["run", HostProcess.Project("pocket.json"), .. HostProcess.Tiny(2)]).Succeeded();
        var picture = Path.Combine(host.Folder, "red.png");
        File.WriteAllBytes(picture, Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAEElEQVR4nGP4z8AARwzEcQCukw/x0F8jngAAAABJRU5ErkJggg=="));

        var outcome = host.Run("chat", "latest", "--image", picture, "--json", "what colour is the star?").Succeeded();

        Assert.NotNull(JsonNode.Parse(outcome.Output)!["answer"]);
        Assert.Equal(2, host.Run("chat", "latest", "--image", host.HostFile, "what?").ExitCode);
    }
}
