using PluginHost.Campaign;
using PluginHost.Catalog.Install;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Tests.Install;

public sealed class InstallTests : IDisposable
{
    private readonly PackagePlace place = new();

    private PluginInstaller Installer => new(place.Host);

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task Install_FromAFolder_IsLockedDiscoveredAndRuns()
    {
        var package = place.Publish("Acme.Plain", "1.0.0");

        var change = Assert.Single(await place.Install("Acme.Plain"));

        Assert.Equal(new PackageChange("Acme.Plain", null, "1.0.0", "local"), change);
        var locked = Assert.Single(place.Store.ReadLock().Packages);
        Assert.Equal(("Acme.Plain.dll", "[0.1.0, 1.0.0)"), (locked.Assembly, locked.Sdk));
        Assert.Equal(["Acme.Plain.dll", "data/words.txt"], locked.Files.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(package.Files["plugin/Acme.Plain.dll"], File.ReadAllBytes(Path.Combine(place.Store.Folder, "acme.plain", "1.0.0", "Acme.Plain.dll")));
        Assert.Equal("1.0.0", place.Tell("media.acme-plain"));
        using var catalog = place.Discover();
        Assert.Equal(locked.Sha512, catalog.Find("media.acme-plain")!.Package!.Sha512);
        Assert.False(Directory.Exists(place.Store.Staging));
    }

    [Fact]
    public async Task Install_Twice_ChangesNothing()
    {
        place.Publish("Acme.Plain", "1.0.0");
        await place.Install("Acme.Plain");
        var before = place.State();

        Assert.Empty(await place.Install("acme.plain"));

        Assert.Equal(before, place.State());
    }

    [Theory]
    [InlineData("Acme.Plain", "2.0.0")]
    [InlineData("Acme.Plain@1.0.0", "1.0.0")]
    [InlineData("Acme.Plain@[1.0,2.0)", "1.5.0")]
    [InlineData("Acme.Plain@1.*", "1.5.0")]
    [InlineData("Acme.Plain@3.0.0-beta", "3.0.0-beta")]
    [InlineData("Acme.Plain@[3.0.0-a,4.0)", "3.0.0-beta")]
    public async Task Install_VersionOrRange_TakesTheHighestThatWillDo(string request, string expected)
    {
        foreach (var version in new[] { "1.0.0", "1.5.0", "2.0.0", "3.0.0-beta" }) place.Publish("Acme.Plain", version);

        Assert.Equal(expected, Assert.Single(await place.Install(request)).After);
    }

    [Theory]
    [InlineData("Acme.Plain@9.0.0", "local has no version 9.0.0 of Acme.Plain; it has 2.0.0, 1.0.0")]
    [InlineData("Acme.Plain@[3.0,4.0)", "local has no version [3.0,4.0) of Acme.Plain; it has 2.0.0, 1.0.0")]
    [InlineData("Acme.Plaim", "none of the feeds local has a package Acme.Plaim; its id, or --source, may be misspelt")]
    [InlineData("../Acme", "'../Acme' is no package id; one is letters, digits, dots, dashes and underscores, such as Acme.Fusion")]
    [InlineData("Acme.Plain@new", "'new' is neither a version nor a range; 1.2.0, [1.2,2.0) and 1.* are some")]
    public async Task Install_WrongRequest_IsTheUsersMistake(string request, string expected)
    {
        place.Publish("Acme.Plain", "1.0.0");
        place.Publish("Acme.Plain", "2.0.0");

        Assert.Equal(expected, await place.Refused<UserErrorException>(() => place.Install(request)));
    }

    [Fact]
    public async Task Update_NewVersion_KeepsTheOldBesideItAndRollbackReturns()
    {
        place.Publish("Acme.Plain", "1.0.0");
        await place.Install("Acme.Plain");
        place.Publish("Acme.Plain", "1.1.0");

        Assert.Equal(new PackageChange("Acme.Plain", "1.0.0", "1.1.0", "local"), Assert.Single(await Installer.UpdateAsync(null, default)));
        Assert.Equal("1.1.0", place.Tell("media.acme-plain"));
        Assert.True(Directory.Exists(Path.Combine(place.Store.Folder, "acme.plain", "1.0.0")));

        await Installer.RollbackAsync("Acme.Plain", default);
        Assert.Equal("1.0.0", place.Tell("media.acme-plain"));
        await Installer.RollbackAsync(null, default);
        Assert.Equal("1.1.0", place.Tell("media.acme-plain"));
        Assert.Empty(await Installer.UpdateAsync("Acme.Plain", default));
    }

    [Fact]
    public async Task Update_ThirdVersion_DropsTheFirst()
    {
        foreach (var version in new[] { "1.0.0", "2.0.0", "3.0.0" })
        {
            place.Publish("Acme.Plain", version);
            await place.Install($"Acme.Plain@{version}");
        }

        Assert.Equal(["2.0.0", "3.0.0"], Directory.GetDirectories(Path.Combine(place.Store.Folder, "acme.plain")).Select(Path.GetFileName).Order());
        Assert.Equal("2.0.0", place.Store.ReadLock().Find("Acme.Plain")!.Previous!.Version);
    }

    [Fact]
    public async Task Rollback_WithoutAPreviousVersion_SaysSo()
    {
        place.Publish("Acme.Plain", "1.0.0");
        await place.Install("Acme.Plain");

        Assert.Equal("Acme.Plain 1.0.0 has no previous version to go back to", await place.Refused<UserErrorException>(() => Installer.RollbackAsync("Acme.Plain", default)));
    }

    [Fact]
    public async Task Remove_Package_LeavesNothingOfIt()
    {
        place.Publish("Acme.Plain", "1.0.0");
        await place.Install("Acme.Plain");

        await Installer.RemoveAsync("acme.plain", default);

        Assert.Empty(place.Active);
        Assert.Empty(Directory.GetDirectories(place.Store.Folder));
        Assert.Equal("no package Acme.Plain is installed; there is none", await place.Refused<UserErrorException>(() => Installer.RemoveAsync("Acme.Plain", default)));
    }

    [Fact]
    public async Task Install_Dependency_ComesInItsLowestVersionAndIsNeeded()
    {
        foreach (var version in new[] { "1.0.0", "1.1.0", "2.0.0" }) place.Publish("Acme.Base", version);
        place.Publish("Acme.Plain", "1.0.0", ("Acme.Base", "[1.1,3.0)"));

        await place.Install("Acme.Plain");

        Assert.Equal(["Acme.Base 1.1.0", "Acme.Plain 1.0.0"], place.Active);
        Assert.Equal("Acme.Base 1.1.0 is needed by Acme.Plain 1.0.0; remove Acme.Plain first", await place.Refused<UserErrorException>(() => Installer.RemoveAsync("Acme.Base", default)));
        Assert.Equal("Acme.Base 1.0.0 cannot be installed: Acme.Plain 1.0.0 needs Acme.Base (>= 1.1.0 && < 3.0.0)", await place.Refused<UserErrorException>(() => place.Install("Acme.Base@1.0.0")));
        await Installer.UpdateAsync(null, default);
        Assert.Equal(["Acme.Base 2.0.0", "Acme.Plain 1.0.0"], place.Active);
    }

    [Fact]
    public async Task Install_TwoThatNeedDifferentVersions_NamesBothEnds()
    {
        foreach (var version in new[] { "1.0.0", "2.0.0" }) place.Publish("Acme.Base", version);
        place.Publish("Acme.One", "1.0.0", ("Acme.Base", "[1.0,2.0)"));
        place.Publish("Acme.Two", "1.0.0", ("Acme.Base", "[2.0,3.0)"));
        await place.Install("Acme.One");

        Assert.Equal("no version of Acme.Base will do: Acme.One 1.0.0 needs (>= 1.0.0 && < 2.0.0), and Acme.Two 1.0.0 needs (>= 2.0.0 && < 3.0.0); local has 2.0.0, 1.0.0", await place.Refused("Acme.Two"));
    }

    [Fact]
    public async Task Install_PrivateDependency_BelongsInsideThePackage()
    {
        place.Publish("Acme.Plain", "1.0.0", ("Newtonsoft.Json", "[13.0,)"));
        new TestPackage("Acme.Library", "1.0.0") { Type = "Dependency", Files = { ["plugin/Acme.Library.dll"] = [1] } }.WriteTo(place.Feed);
        place.Publish("Acme.Other", "1.0.0", ("Acme.Library", "[1.0,)"));

        const string rule = "Only PluginHost.Sdk and other plugin packages are dependencies of a plugin package; its private dependencies belong inside it";
        Assert.Equal($"Acme.Plain 1.0.0 depends on Newtonsoft.Json, and none of the feeds local has a package Newtonsoft.Json; its id, or --source, may be misspelt. {rule}", await place.Refused("Acme.Plain"));
        Assert.Equal($"Acme.Other 1.0.0 depends on Acme.Library, which is no plugin package. {rule}", await place.Refused("Acme.Other"));
    }

    [Fact]
    public async Task Install_SamePluginIdTwice_NamesBothPlaces()
    {
        place.Publish("Acme.Plain", "1.0.0");
        await place.Install("Acme.Plain");
        TestPackage.Media("Acme.Copy", "1.0.0", plugin: "media.acme-plain").WriteTo(place.Feed);

        var message = await place.Refused("Acme.Copy");

        Assert.Equal($"the package Acme.Copy 1.0.0 from local is refused: the id media.acme-plain is already taken by {Path.Combine(place.Store.Folder, "acme.plain", "1.0.0")}; remove one of them", message);
    }

    [Fact]
    public async Task Restore_LockFileAlone_BringsTheSamePackagesBack()
    {
        place.Publish("Acme.Plain", "1.0.0");
        place.Publish("Acme.Plain", "2.0.0");
        await place.Install("Acme.Plain@1.0.0");
        var state = place.State();
        Directory.Delete(Path.Combine(place.Store.Folder, "acme.plain"), recursive: true);

        await Installer.RestoreAsync(default);

        Assert.Equal(state, place.State());
    }

    [Fact]
    public async Task Install_StoreThatIsSomebodysFolder_IsRefused()
    {
        place.Publish("Acme.Plain", "1.0.0");
        Directory.CreateDirectory(place.Store.Folder);
        File.WriteAllText(Path.Combine(place.Store.Folder, "letter.txt"), "mine");

        Assert.EndsWith("holds other things than plugin packages; name an empty or a new folder as install.store", await place.Refused("Acme.Plain"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Discover_DamagedLockFile_IsOneFaultAndOthersWork()
    {
        place.Publish("Acme.Plain", "1.0.0");
        await place.Install("Acme.Plain");
        Directory.CreateDirectory(Path.Combine(place.Plugins, "Acme.Folder"));
        File.WriteAllBytes(Path.Combine(place.Plugins, "Acme.Folder", "Acme.Folder.dll"), PluginCompiler.Compile("Acme.Folder", PluginCompiler.Media("media.folder")));
        File.WriteAllText(place.Store.LockPath, "{ \"format\": 1,");

        using var catalog = place.Discover();

        Assert.Equal("media.folder", Assert.Single(catalog.Installed.All).Id);
        Assert.StartsWith("none of its packages can be used: ", Assert.Single(catalog.Installed.Faults).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ConfigException>(() => place.Install("Acme.Plain"));
    }

    [Fact]
    public void Discover_200Packages_DescribesThemAndRunsNoneOfTheirCode()
    {
        var trace = Path.Combine(place.Folder("trace"), "ran.txt");
        ManyPackages.Write(place.Store.Folder, 200, trace);

        using var catalog = place.Discover();

        Assert.Empty(catalog.Installed.Faults);
        Assert.Equal(400, catalog.Installed.All.Count);
        Assert.Equal("loud", catalog.Find("media.second123")!.Options.Single(option => option.Name == "tone").Default);
        Assert.False(File.Exists(trace));
        catalog.Lease(ManyPackages.IdOf(123), new Dictionary<string, object?>()).Dispose();
        Assert.True(File.Exists(trace), "the tripwire does not work");
    }

    [Fact]
    public async Task Install_TwoAtOnce_OneWaitsForTheOther()
    {
        place.Publish("Acme.One", "1.0.0");
        place.Publish("Acme.Two", "1.0.0");

        await Task.WhenAll(Task.Run(() => place.Install("Acme.One")), Task.Run(() => place.Install("Acme.Two")));

        Assert.Equal(["Acme.One 1.0.0", "Acme.Two 1.0.0"], place.Active);
    }

    [Fact]
    public async Task Install_StoreHeldForTooLong_SaysSo()
    {
        place.Publish("Acme.One", "1.0.0");
        using var held = await place.Store.GuardAsync(TimeSpan.Zero, () => { }, default);

        var steps = new List<string>();
        var error = await Assert.ThrowsAsync<InstallFailedException>(() =>
            new PluginInstaller(place.Host, step => steps.Add(step.Doing)) { Patience = TimeSpan.FromMilliseconds(200) }.InstallAsync("Acme.One", null, default));

        Assert.StartsWith($"another process has been changing the store {place.Store.Folder}", error.Message, StringComparison.Ordinal);
        Assert.Equal([$"waiting for another process that is changing {place.Store.Folder}"], steps);
    }
}
