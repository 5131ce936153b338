using System.Xml.Linq;

namespace PluginHost.Architecture.Tests;

public class OneWayFlowTests
{
    /// <summary>The direction in which data flows; a project refers only to those before it, and to the SDK.</summary>
    private static readonly string[] Flow =
        ["PluginHost.Config", "PluginHost.Catalog", "PluginHost.Graph", "PluginHost.Data", "PluginHost.Runs", "PluginHost.Artifacts", "PluginHost.Retrieval", "PluginHost.Tools", "PluginHost.Serving", "PluginHost"];

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
            var target = Path.GetFileNameWithoutExtension(reference);
            if (target == "PluginHost.Sdk") continue;
            Assert.True(Array.IndexOf(Flow, target) >= 0, $"{name} refers to {target}, which is neither in src nor the contract.");
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

    /// <summary>The test kit is the host's own inspection and loading under an xunit face: of all the SDK it alone refers to src.</summary>
    [Theory]
    [InlineData("PluginHost.Sdk", "")]
    [InlineData("PluginHost.Sdk.Layers", "PluginHost.Sdk")]
    [InlineData("PluginHost.Sdk.Testing", "PluginHost.Catalog")]
    [InlineData("PluginHost.Sdk.Build", "")]
    [InlineData("PluginHost.Templates", "")]
    public void SdkProject_References_AreTheseAlone(string project, string expected)
    {
        var references = Repository.References(Path.Combine(Repository.Root, "sdk", project, project + ".csproj"));
        Assert.Equal(expected, string.Join(", ", references.Select(Path.GetFileNameWithoutExtension)));
    }

    [Theory]
    [MemberData(nameof(PluginProjects))]
    public void PluginProject_Tests_AreAProjectWhoseSuitesCoverIt(string project)
    {
        // A test of each of these projects fails when a plugin that it refers to has no suite.
        var name = Path.GetFileNameWithoutExtension(project);
        var projects = Repository.Projects("tests").Where(tests => File.ReadAllText(tests).Contains("PluginHost.Sdk.Testing.targets", StringComparison.Ordinal));
        Assert.Single(projects, tests => Repository.References(tests).Any(reference => Path.GetFileNameWithoutExtension(reference) == name));
    }

    [Fact]
    public void Templates_TestPackages_AreOfTheVersionsUsedHere()
    {
        var central = XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props")).Descendants("PackageVersion")
            .ToDictionary(item => item.Attribute("Include")!.Value, item => item.Attribute("Version")!.Value);
        foreach (var project in Directory.EnumerateFiles(Path.Combine(Repository.Root, "sdk", "PluginHost.Templates", "plugin"), "*.csproj", SearchOption.AllDirectories))
            foreach (var reference in XDocument.Load(project).Descendants("PackageReference").Where(item => !item.Attribute("Include")!.Value.StartsWith("PluginHost.", StringComparison.Ordinal)))
                Assert.Equal(central[reference.Attribute("Include")!.Value], reference.Attribute("Version")!.Value);
    }

    [Fact]
    public void Executable_PluginBuild_IsTheOnlyMentionOfThePluginsFolder()
    {
        foreach (var project in Repository.Projects("src"))
        {
            var mentions = File.ReadAllLines(project).Count(line => line.Contains("../plugins/", StringComparison.Ordinal));
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
