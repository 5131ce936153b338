using PluginHost.Catalog;
using PluginHost.Config;

namespace PluginHost.Graph.Tests;

/// <summary>Broken projects, each with the exact message that its author gets; no plugin code may run on the way.</summary>
public class GoldenMistakesTests
{
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "golden");

    public static TheoryData<string> Cases() =>
        new(Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Plan_BrokenProject_SaysExactlyWhatIsWrong(string name)
    {
        using var catalog = FixturePlugins.Discover("planning");

        var error = Assert.Throws<ConfigException>(() => GraphPlanner.Plan(ProjectFile.Read(Path.Combine(Folder, name + ".json"), []), catalog.Installed));

        Assert.Equal(File.ReadAllText(Path.Combine(Folder, name + ".expected.txt")).TrimEnd(), error.Message);
        AssertNothingLoaded(catalog);
    }

    [Fact]
    public void Cases_AreAtLeastTwenty() => Assert.True(Cases().Count >= 20);

    private static void AssertNothingLoaded(PluginCatalog catalog)
    {
        var events = new List<PluginEvent>();
        using (catalog.Events.Subscribe(new Recorder(events))) { }
        Assert.Contains(events, item => item.Kind == PluginEventKind.Inspected);
        Assert.DoesNotContain(events, item => item.Kind is PluginEventKind.Loaded or PluginEventKind.Activated);
        Assert.DoesNotContain(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name == "Fixture.Planning");
        Assert.False(File.Exists(Path.Combine(AppContext.BaseDirectory, "plugin-code-ran.txt")));
    }

    private sealed class Recorder(List<PluginEvent> events) : IObserver<PluginEvent>
    {
        public void OnNext(PluginEvent value) => events.Add(value);

        public void OnError(Exception error) => throw error;

        public void OnCompleted()
        {
        }
    }
}
