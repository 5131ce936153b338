namespace PluginHost.Architecture.Tests;

public class OneWayFlowTests
{
    /// <summary>The direction in which data flows; a project refers only to those before it, and to the SDK.</summary>
    private static readonly string[] Flow =
        ["PluginHost.Config", "PluginHost.Catalog", "PluginHost.Graph", "PluginHost.Data", "PluginHost.Runs", "PluginHost.Artifacts", "PluginHost"];

    public static TheoryData<string> SourceProjects() => [.. Repository.Projects("src").Select(path => Path.GetRelativePath(Repository.Root, path))];

    public static TheoryData<string> PluginProjects() => [.. Repository.Projects("plugins").Select(path => Path.GetRelativePath(Repository.Root, path))];

    [Fact]
    public void Source_AllProjects_AreInTheFlow() =>
        Assert.Equal(Flow.Order(), Repository.Projects("src").Select(Path.GetFileNameWithoutExtension).Order());

    [Theory]
    [MemberData(nameof(SourceProjects))]
    public void SourceProject_References_PointBackwardsOrToTheSdk(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        foreach (var reference in Repository.References(Path.Combine(Repository.Root, project)))
        {
            if (reference.StartsWith(Path.Combine(Repository.Root, "sdk"), StringComparison.Ordinal)) continue;
            var target = Path.GetFileNameWithoutExtension(reference);
            Assert.True(Array.IndexOf(Flow, target) >= 0, $"{name} refers to {target}, which is neither in src nor in sdk.");
            Assert.True(Array.IndexOf(Flow, target) < Array.IndexOf(Flow, name), $"{name} refers to {target}, which comes after it.");
        }
    }

    [Theory]
    [MemberData(nameof(SourceProjects))]
    public void SourceProject_Code_NamesNoPluginAssembly(string project)
    {
        var plugins = Repository.Projects("plugins").Select(path => Path.GetFileNameWithoutExtension(path)!).ToList();
        var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, project))!;
        foreach (var file in Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories).Where(IsSource))
            Assert.DoesNotContain(plugins, plugin => File.ReadAllText(file).Contains($"using {plugin}", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(PluginProjects))]
    public void PluginProject_References_AreOnlyTheSdk(string project)
    {
        foreach (var reference in Repository.References(Path.Combine(Repository.Root, project)))
            Assert.StartsWith("sdk", Path.GetRelativePath(Repository.Root, reference.Replace("$(RepositoryRoot)", Repository.Root + "/", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Executable_PluginBuild_IsTheOnlyMentionOfThePluginsFolder()
    {
        foreach (var project in Repository.Projects("src"))
        {
            var mentions = File.ReadAllLines(project).Count(line => line.Contains("plugins/", StringComparison.Ordinal));
            Assert.Equal(Path.GetFileNameWithoutExtension(project) == "PluginHost" ? 1 : 0, mentions);
        }
    }

    [Fact]
    public void Repository_TopLevelFolders_AreTheHouse()
    {
        var allowed = new[] { "sdk", "src", "plugins", "tests", "host-config" };
        var folders = Directory.GetDirectories(Repository.Root).Select(Path.GetFileName)
            .Where(name => !name!.StartsWith('.') && name is not ("bin" or "obj" or "runs" or "TestResults"));
        Assert.Empty(folders.Except(allowed));
    }

    private static bool IsSource(string file) => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal);
}
