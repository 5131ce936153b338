using CsCheck;
using PluginHost.Catalog.Install;
using PluginHost.Config;

namespace PluginHost.Catalog.Tests.Install;

public sealed class TamperTests : IDisposable
{
    private readonly PackagePlace place = new();

    public void Dispose() => place.Dispose();

    private string FileOf(string name) => Path.Combine(place.Store.Folder, "acme.plain", "1.0.0", name);

    private async Task InstallTwo()
    {
        place.Publish("Acme.Plain", "1.0.0");
        place.Publish("Acme.Other", "1.0.0");
        await place.Install("Acme.Plain");
        await place.Install("Acme.Other");
    }

    [Theory]
    [InlineData("data/words.txt", "data/words.txt of Acme.Plain 1.0.0 is not the file that was installed: its SHA-512 differs from the lock file's")]
    [InlineData("Acme.Plain.dll", "Acme.Plain.dll of Acme.Plain 1.0.0 is not the file that was installed: its SHA-512 differs from the lock file's")]
    [InlineData("-data/words.txt", "data/words.txt of Acme.Plain 1.0.0 is missing")]
    [InlineData("Injected.dll", "Injected.dll does not belong to Acme.Plain 1.0.0: the lock file does not name it")]
    public async Task Discover_AlteredFile_IsOneFaultNamingItAndOthersWork(string file, string expected)
    {
        await InstallTwo();
        if (file[0] == '-') File.Delete(FileOf(file[1..]));
        else File.AppendAllText(FileOf(file), "x");

        using var catalog = place.Discover();

        Assert.Equal($"{expected}; 'pluginhost plugins install Acme.Plain@1.0.0' restores it", Assert.Single(catalog.Installed.Faults).Message);
        Assert.Equal("media.acme-other", Assert.Single(catalog.Installed.All).Id);
        Assert.Equal([expected], new PluginInstaller(place.Host).Verify().Single(check => check.Differences.Count > 0).Differences);
    }

    [Fact]
    public async Task Lease_FileAlteredAfterDiscovery_IsRefusedBeforeItIsLoaded()
    {
        await InstallTwo();
        using var catalog = place.Discover();
        File.AppendAllText(FileOf("Acme.Plain.dll"), "x");

        var error = Assert.Throws<PluginFailedException>(() => catalog.Lease("media.acme-plain", new Dictionary<string, object?>()));

        Assert.Contains("Acme.Plain.dll of Acme.Plain 1.0.0 is not the file that was installed", error.Message, StringComparison.Ordinal);
        catalog.Lease("media.acme-other", new Dictionary<string, object?>()).Dispose();
    }

    [Fact]
    public async Task Install_AlteredPackage_IsRestored()
    {
        await InstallTwo();
        var state = place.State();
        File.AppendAllText(FileOf("Acme.Plain.dll"), "x");

        await place.Install("Acme.Plain@1.0.0");

        Assert.Equal(state, place.State());
    }

    [Fact]
    public async Task Install_VersionThatTheFeedHasExchanged_IsRefused()
    {
        await InstallTwo();
        TestPackage.Media("Acme.Plain", "1.0.0", more: "public sealed class Slipped;").WriteTo(place.Feed);
        File.AppendAllText(FileOf("Acme.Plain.dll"), "x");

        Assert.Equal(
            "the package Acme.Plain 1.0.0 from local is refused: its SHA-512 is not the one in the lock file, so it is not the package that was installed under this version",
            await place.Refused("Acme.Plain@1.0.0"));
    }

    [Theory]
    [InlineData("\"format\": 1", "\"format\": 2", "a lock file of format 2; this host knows format 1")]
    [InlineData("\"version\": \"1.0.0\"", "\"version\": \"../../etc\"", "'../../etc' is not a normalised version")]
    [InlineData("\"id\": \"Acme.Plain\"", "\"id\": \"..\"", "'..' is not a package id")]
    [InlineData("data/words.txt", "../words.txt", "'../words.txt' is not a relative path with a SHA-512")]
    [InlineData("\"assembly\"", "\"assemblee\"", "a locked package needs 'assembly'")]
    public async Task Read_AlteredLockFile_NamesThePlace(string text, string by, string expected)
    {
        await InstallTwo();
        File.WriteAllText(place.Store.LockPath, File.ReadAllText(place.Store.LockPath).Replace(text, by, StringComparison.Ordinal));

        var error = Assert.Throws<ConfigException>(place.Store.ReadLock);

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith($"{place.Store.LockPath}(", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_LockFileWithAnyDamage_IsALockOrAConfigError()
    {
        await InstallTwo();
        var whole = File.ReadAllBytes(place.Store.LockPath);
        var path = Path.Combine(place.Folder("fuzz"), "plugins.lock.json");
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte.Array[0, 4], Gen.Int[0, 8]).Sample((at, bytes, drop) =>
        {
            File.WriteAllBytes(path, [.. whole[..at], .. bytes, .. whole[Math.Min(at + drop, whole.Length)..]]);
            try
            {
                PluginLock.Read(path);
            }
            catch (ConfigException error)
            {
                Assert.NotEmpty(error.Errors);
            }
        }, iter: 1000, threads: 1);
    }

    [Fact]
    public async Task Write_LockRead_IsTheSame()
    {
        await InstallTwo();
        place.Publish("Acme.Plain", "2.0.0");
        await place.Install("Acme.Plain");
        var before = File.ReadAllText(place.Store.LockPath);

        place.Store.ReadLock().Write(place.Store.LockPath);

        Assert.Equal(before, File.ReadAllText(place.Store.LockPath));
    }
}
