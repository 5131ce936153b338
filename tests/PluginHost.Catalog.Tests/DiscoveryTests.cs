using PluginHost.Sdk;

namespace PluginHost.Catalog.Tests;

public sealed class DiscoveryTests : IDisposable
{
    private readonly FixturePlugins fixtures = new();

    public void Dispose() => fixtures.Dispose();

    private PluginFault OnlyFault()
    {
        using var catalog = fixtures.Discover();
        Assert.Empty(catalog.Installed.All);
        return Assert.Single(catalog.Installed.Faults);
    }

    [Fact]
    public void Discover_Plugin_IsDescribedWithoutLoadingIt()
    {
        fixtures.Copy("Fixture.Plain");
        using var catalog = fixtures.Discover();

        var plugin = Assert.Single(catalog.Installed.All);

        Assert.Equal(("media.plain", "media", "0.1.0", "Fixture.Plain.PlainMedia"), (plugin.Id, plugin.Kind, plugin.Version, plugin.TypeName));
        Assert.Equal([".plain", ".txt"], plugin.Accepts);
        Assert.True(plugin.Implements<IMediaDecoder>());
        Assert.False(plugin.Implements<INodePlugin>());
        Assert.Equal(64, plugin.Hash.Length);
        Assert.Equal("width is a multiple of 2 * heads", Assert.Single(plugin.Rules).ToString());
    }

    [Fact]
    public void Discover_RequirementsAndSdkRange_AreReadFromAttributes()
    {
        fixtures.Copy("Fixture.Plain");
        fixtures.Copy("Fixture.Odd");
        using var catalog = fixtures.Discover();

        var plain = catalog.Find("media.plain")!;
        Assert.Equal(["chat-client", "embedding-generator"], plain.Requires.Select(item => item.Capability));
        Assert.Equal("[0.1.0,0.9.0)", plain.SdkRange);
        var unsaid = catalog.Find("media.throwing")!;
        Assert.Empty(unsaid.Requires);
        Assert.Equal($"[{typeof(PluginAttribute).Assembly.GetName().Version!.ToString(3)},1.0.0)", unsaid.SdkRange);
    }

    [Fact]
    public void Discover_Options_HaveTypesDefaultsAndRanges()
    {
        fixtures.Copy("Fixture.Plain");
        using var catalog = fixtures.Discover();
        var options = catalog.Installed.All[0].Options.ToDictionary(option => option.Name);

        Assert.Equal(["width", "heads", "big", "rate", "stem", "name", "tone", "words", "sizes", "limit"], catalog.Installed.All[0].Options.Select(option => option.Name));
        Assert.Equal((OptionType.Int, (object)64L, 8.0, 1024.0, "Width in pixels."), (options["width"].Type, options["width"].Default!, options["width"].Minimum!.Value, options["width"].Maximum!.Value, options["width"].Description));
        Assert.Equal(5_000_000_000L, options["big"].Default);
        Assert.Equal(0.25, options["rate"].Default);
        Assert.Equal(true, options["stem"].Default);
        Assert.Equal("plain", options["name"].Default);
        Assert.Equal("loud", options["tone"].Default);
        Assert.Equal(["softGrey", "loud"], options["tone"].Choices);
        Assert.True(options["words"].Array && options["words"].Nullable && options["words"].Default is null);
        Assert.True(options["limit"].Nullable);
        Assert.False(options["width"].Nullable);
    }

    [Fact]
    public void Discover_Hash_ChangesWithAnyFile()
    {
        var folder = fixtures.Copy("Fixture.Plain");
        string Hash()
        {
            using var catalog = fixtures.Discover();
            return catalog.Installed.All[0].Hash;
        }
        var before = Hash();
        Assert.Equal(before, Hash());

        File.WriteAllText(Path.Combine(folder, "data.txt"), "one");
        var with = Hash();
        File.Move(Path.Combine(folder, "data.txt"), Path.Combine(folder, "other.txt"));

        Assert.Equal(3, new[] { before, with, Hash() }.Distinct().Count());
    }

    [Fact]
    public void Discover_OddClasses_AreFaultsBesideGoodOnes()
    {
        fixtures.Copy("Fixture.Odd");
        using var catalog = fixtures.Discover();

        Assert.Equal(["media.pinning", "media.throwing"], catalog.Installed.All.Select(plugin => plugin.Id));
        var faults = catalog.Installed.Faults.Select(fault => fault.Message).ToArray();
        Assert.Equal(4, faults.Length);
        Assert.Contains("Fixture.Odd.DatedMedia: option Since of media.dated is of type DateTime; options are int, long, double, bool, string, enums and arrays of these", faults);
        Assert.Contains("Fixture.Odd.CrookedEncoder: 'pixel' is no structure of a port type; did you mean 'pixels'?", faults);
        Assert.Contains("Fixture.Odd.ForgetfulEncoder: encoder.forgetful uses {Widht} in a port or formula, but has no whole-number option of that name; did you mean 'Width'?", faults);
        Assert.Contains("Fixture.Odd.OpenMedia: media.open must be a public sealed class without type parameters", faults);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 })]
    public void Discover_GarbageAssembly_IsAFault(byte[] content)
    {
        var folder = Directory.CreateDirectory(Path.Combine(fixtures.Folder, "Media.Bad")).FullName;
        File.WriteAllBytes(Path.Combine(folder, "Media.Bad.dll"), content);

        Assert.Equal(new PluginFault(folder, "Media.Bad.dll is not a .NET assembly: it is empty, truncated or something else"), OnlyFault());
    }

    [Fact]
    public void Discover_TruncatedAssembly_IsAFault()
    {
        var main = Path.Combine(fixtures.Copy("Fixture.Plain"), "Fixture.Plain.dll");
        File.WriteAllBytes(main, File.ReadAllBytes(main)[..2000]);

        Assert.NotEmpty(OnlyFault().Message);
    }

    [Fact]
    public void Discover_FolderWithoutItsAssembly_IsAFault()
    {
        Directory.CreateDirectory(Path.Combine(fixtures.Folder, "Media.Empty"));

        Assert.Equal("there is no Media.Empty.dll; a plugin folder holds an assembly of its own name", OnlyFault().Message);
    }

    [Fact]
    public void Discover_MissingPrivateDependency_IsAFaultEvenIfTheHostHasIt()
    {
        File.Delete(Path.Combine(fixtures.Copy("Fixture.Skia"), "SkiaSharp.dll"));

        Assert.StartsWith("Fixture.Skia needs SkiaSharp ", OnlyFault().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PluginHost.Sdk")]
    [InlineData("TorchSharp")]
    public void Discover_PrivateCopyOfTheContract_IsAFault(string name)
    {
        var folder = fixtures.Copy("Fixture.Plain");
        File.Copy(Path.Combine(AppContext.BaseDirectory, name + ".dll"), Path.Combine(folder, name + ".dll"));

        Assert.StartsWith($"it brings its own copy of {name}.dll", OnlyFault().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Discover_MalformedDependencyFile_IsAFault()
    {
        File.WriteAllText(Path.Combine(fixtures.Copy("Fixture.Plain"), "Fixture.Plain.deps.json"), "{");

        Assert.StartsWith("Fixture.Plain.deps.json is not valid JSON", OnlyFault().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Discover_SameIdTwice_KeepsTheFirstAndNamesBoth()
    {
        var first = fixtures.Copy("Fixture.Plain", "a");
        var second = fixtures.Copy("Fixture.Plain", "b");
        using var catalog = PluginCatalog.Discover([Path.Combine(fixtures.Folder, "a"), Path.Combine(fixtures.Folder, "b")]);

        Assert.Equal(first, Assert.Single(catalog.Installed.All).Folder);
        Assert.Equal(new PluginFault(second, $"the id media.plain is already taken by {first}; remove one of them"), Assert.Single(catalog.Installed.Faults));
    }

    [Fact]
    public void Discover_FolderThatIsNotThere_IsAFault()
    {
        using var catalog = PluginCatalog.Discover([Path.Combine(fixtures.Folder, "nowhere")]);

        Assert.Contains("does not exist", Assert.Single(catalog.Installed.Faults).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Discover_AssemblyForAnotherArchitecture_IsAFault()
    {
        var main = Path.Combine(fixtures.Copy("Fixture.Plain"), "Fixture.Plain.dll");
        var image = File.ReadAllBytes(main);
        var header = BitConverter.ToInt32(image, 0x3c);
        var other = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? 0x8664 : 0xaa64;
        BitConverter.GetBytes((ushort)other).CopyTo(image, header + 4);
        File.WriteAllBytes(main, image);

        Assert.StartsWith("Fixture.Plain.dll was built for ", OnlyFault().Message, StringComparison.Ordinal);
    }
}
