using System.Text.Json;
using System.Text.Json.Nodes;
using PluginHost.Campaign;
using PluginHost.Catalog.Tests.Install;

namespace PluginHost.EndToEnd.Tests;

public sealed class InstallTests : IDisposable
{
    private const int Kills = 20; // a tenth of the campaign
    private readonly HostProcess host = new();

    public InstallTests()
    {
        File.WriteAllText(host.HostFile, JsonSerializer.Serialize(new { plugins = Array.Empty<string>(), install = new { store = Path.Combine(host.Folder, "store"), feeds = new { local = Feed } } }));
        TestPackage.Media("Acme.Plain", "1.0.0").WriteTo(Feed);
    }

    private string Feed => Path.Combine(host.Folder, "feed");

    public void Dispose() => host.Dispose();

    [Fact]
    public void Plugins_FromInstallToRemove_SaysWhatItDoes()
    {
        Assert.EndsWith("installed Acme.Plain 1.0.0 from local\n", host.Run("plugins", "install", "Acme.Plain").Succeeded().Output, StringComparison.Ordinal);
        TestPackage.Media("Acme.Plain", "1.1.0").WriteTo(Feed);
        Assert.EndsWith("Acme.Plain 1.0.0 -> 1.1.0 from local\n", host.Run("plugins", "update").Succeeded().Output, StringComparison.Ordinal);

        var list = host.Run("plugins", "list").Succeeded().Output;
        Assert.Matches("media.acme-plain +1.1.0 +media +Acme.Plain ", list);
        Assert.Matches("Acme.Plain +1.1.0 +active +local ", list);
        Assert.Matches("Acme.Plain +1.0.0 +previous +local ", list);
        var json = JsonNode.Parse(host.Run("plugins", "list", "--json").Succeeded().Output)!;
        Assert.Equal([true, false], json["packages"]!.AsArray().Select(package => (bool)package!["active"]!));

        Assert.Equal("1 of 1 packages are as they were installed\n", host.Run("plugins", "verify").Succeeded().Output);
        Assert.Equal("Acme.Plain 1.1.0 -> 1.0.0 from local\n", host.Run("plugins", "rollback", "Acme.Plain").Succeeded().Output.Split("\n", 2)[^1]);
        var change = JsonNode.Parse(host.Run("plugins", "remove", "Acme.Plain", "--json").Succeeded().Output)!["changes"]![0]!;
        Assert.Equal(("Acme.Plain", "1.0.0", null), ((string?)change["id"], (string?)change["before"], (string?)change["after"]));
    }

    [Fact]
    public void PluginsVerify_AlteredFile_FailsAndInstallRestores()
    {
        host.Run("plugins", "install", "Acme.Plain", "--source", Feed).Succeeded();
        File.AppendAllText(Path.Combine(host.Folder, "store", "acme.plain", "1.0.0", "Acme.Plain.dll"), "x");

        var outcome = host.Run("plugins", "verify");

        Assert.Equal(1, outcome.ExitCode);
        Assert.StartsWith("Acme.Plain.dll of Acme.Plain 1.0.0 is not the file that was installed", outcome.Output, StringComparison.Ordinal);
        host.Run("plugins", "install").Succeeded();
        host.Run("plugins", "verify").Succeeded();
    }

    [Fact]
    public async Task PluginsInstall_TwoProcessesAtOnce_BothSucceed()
    {
        TestPackage.Media("Acme.Other", "1.0.0").WriteTo(Feed);

        var outcomes = await Task.WhenAll(Task.Run(() => host.Run("plugins", "install", "Acme.Plain")), Task.Run(() => host.Run("plugins", "install", "Acme.Other")));

        Assert.All(outcomes, outcome => outcome.Succeeded());
        Assert.Equal("2 of 2 packages are as they were installed\n", host.Run("plugins", "verify").Succeeded().Output);
    }

    [Theory]
    [InlineData(2, "install", "Acme.Plane")]
    [InlineData(2, "install", "Acme.Plain", "--source", "https://elsewhere.test/index.json")]
    [InlineData(2, "install", "--source", "local")]
    [InlineData(2, "remove", "Acme.Plain")]
    [InlineData(1, "install", "Acme.Broken")]
    public void Plugins_Failure_HasItsExitCodeAndNoStackTrace(int exitCode, params string[] arguments)
    {
        File.WriteAllText(Path.Combine(Feed, "Acme.Broken.1.0.0.nupkg"), "no zip");

        var outcome = host.Run(["plugins", .. arguments]);

        Assert.Equal(exitCode, outcome.ExitCode);
        Assert.Single(outcome.Error.Trim().Split('\n'));
        Assert.DoesNotContain("   at ", outcome.Error);
    }

    [Fact]
    public void PluginsDocs_HostilePackage_IsAPageOfTextBesideTheOthers()
    {
        var package = TestPackage.Media("Acme.Docs", "1.0.0", more: """
            public sealed record Options([property: System.ComponentModel.DataAnnotations.Range(8, 1024), System.ComponentModel.Description("Pixels | <b>bold</b> [link](javascript:alert)")] int Width = 64);
            [Plugin("media.loud", "<script>alert(1)</script> shouts.")]
            public sealed class LoudMedia(Options options) : IMediaDecoder
            {
                public MediaContent Decode(string path, string modality, MediaFormat format, CancellationToken cancellation) => new MediaFile(options.ToString());
            }
            """);
        package.Files["plugin/sample.json"] = "{ \"settings\": { \"width\": 16 } }"u8.ToArray();
        package.WriteTo(Feed);
        host.Run("plugins", "install", "Acme.Docs").Succeeded();

        var docs = Path.Combine(host.Folder, "docs");
        host.Run("plugins", "docs", "--out", docs).Succeeded();

        Assert.Equal(["index.html", "index.md", "media.acme-docs.html", "media.acme-docs.md", "media.loud.html", "media.loud.md", "style.css"], Directory.GetFiles(docs).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains("<a href=\"media.loud.html\">media.loud</a>", File.ReadAllText(Path.Combine(docs, "index.html")));
        var page = File.ReadAllText(Path.Combine(docs, "media.loud.html"));
        foreach (var expected in new[] { "<code>width</code>", "<code>64</code>", "8..1024", "&lt;script&gt;alert(1)&lt;/script&gt; shouts.", "&quot;width&quot;: 16", "from the package Acme.Docs 1.0.0 of local" }) Assert.Contains(expected, page);
        Assert.DoesNotContain("<script", page);
        Assert.DoesNotContain("<b>", page);
        Assert.DoesNotContain("href=\"javascript", page);
        Assert.Equal(5, page.Split("<td>").Length - 1);
        Assert.DoesNotContain("http", page);
        Assert.Contains("](index.md)", File.ReadAllText(Path.Combine(docs, "media.loud.md")));
    }

    [Fact]
    public async Task PluginsUpdate_KilledAtAnyMoment_LeavesTheOldVersionOrTheNewOne()
    {
        using var campaign = new InstallKills(HostProcess.Program, _ => { });

        var (before, after) = await campaign.RunAsync(Kills);

        Assert.Equal(Kills, before + after);
        Assert.True(before > 0, "no kill came in time");
    }
}
