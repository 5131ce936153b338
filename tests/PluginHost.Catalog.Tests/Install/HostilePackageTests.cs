using System.IO.Compression;
using CsCheck;
using PluginHost.Catalog.Install;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Tests.Install;

public sealed class HostilePackageTests : IDisposable
{
    private const string Refused = "the package Evil 1.0.0 from local";
    private readonly PackagePlace place = new();

    public void Dispose() => place.Dispose();

    private async Task<string> Install(Action<ZipArchive>? finish = null, Action<TestPackage>? change = null)
    {
        var package = TestPackage.Media("Evil", "1.0.0");
        change?.Invoke(package);
        package.Finish = finish;
        package.WriteTo(place.Feed);
        return await place.Refused("Evil");
    }

    [Theory]
    [InlineData("../evil.txt", "leads out of the folder")]
    [InlineData("plugin/../../evil.txt", "leads out of the folder")]
    [InlineData("plugin/%2e%2e/%2e%2e/evil.txt", "leads out of the folder")]
    [InlineData("/etc/evil.txt", "is an absolute path")]
    [InlineData("C:/evil.txt", "has a backslash or a colon")]
    [InlineData("plugin\\..\\evil.txt", "has a backslash or a colon")]
    [InlineData("plugin/evil.dll:stream", "has a backslash or a colon")]
    [InlineData("plugin/evil\u0000.dll", "has a control character")]
    [InlineData("plugin//evil.txt", "has an empty part, or one that ends in a dot or a space")]
    [InlineData("plugin/evil.dll.", "has an empty part, or one that ends in a dot or a space")]
    public async Task Install_NameThatLeadsElsewhere_IsRefused(string name, string problem)
    {
        var message = await Install(archive => TestPackage.Add(archive, name, [1]));

        Assert.StartsWith($"{Refused} is refused: the name of its file '", message, StringComparison.Ordinal);
        Assert.EndsWith(problem, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_SymbolicLink_IsRefused() =>
        Assert.Equal($"{Refused} is refused: its file 'plugin/link' is a symbolic link or a special file", await Install(archive =>
        {
            var entry = archive.CreateEntry("plugin/link");
            entry.ExternalAttributes = unchecked((int)0xA1FF0000);
            using var stream = entry.Open();
            stream.Write("/etc/passwd"u8);
        }));

    [Theory]
    [InlineData("plugin/a.txt", "plugin/a.txt", "it holds 'plugin/a.txt' twice, or in upper and lower case")]
    [InlineData("plugin/a.txt", "plugin/A.TXT", "it holds 'plugin/A.TXT' twice, or in upper and lower case")]
    [InlineData("plugin/a", "plugin/a/b", "'plugin/a' in it is both a file and a folder")]
    public async Task Install_TwoFilesInOnePlace_IsRefused(string first, string second, string problem) =>
        Assert.Equal($"{Refused} is refused: {problem}", await Install(archive =>
        {
            TestPackage.Add(archive, first, [1]);
            TestPackage.Add(archive, second, [2]);
        }));

    [Theory]
    [InlineData(10L << 30)]
    [InlineData(1000)]
    public async Task Install_10GigabytesOfZeros_IsRefusedWhateverItsHeaderSays(long declared)
    {
        var path = TestPackage.Media("Evil", "1.0.0").WriteTo(place.Feed);
        RawZip.Prepend(path, "plugin/zeros.bin", 10L << 30, declared);

        var message = await place.Refused("Evil");

        Assert.Contains(declared == 1000 ? "its file 'plugin/zeros.bin' is damaged" : "it may be a decompression bomb", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_ContentThatGrowsPastItsLimit_IsCountedAsItComes()
    {
        var package = place.Publish("Evil", "1.0.0");
        var size = package.Files.Values.Sum(file => file.Length);

        var message = await place.Refused<InstallFailedException>(() => new PluginInstaller(place.Host, limits: new PackageLimits(ContentBytes: size - 1)).InstallAsync("Evil", null, default));

        Assert.Contains("it may be a decompression bomb", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_MoreThanTheLimits_IsRefused()
    {
        place.Publish("Evil", "1.0.0");
        Task<string> With(PackageLimits limits) => place.Refused<InstallFailedException>(() => new PluginInstaller(place.Host, limits: limits).InstallAsync("Evil", null, default));

        Assert.EndsWith("it has 3 files, more than 2", await With(new PackageLimits(Entries: 2)), StringComparison.Ordinal);
        Assert.Equal("the package Evil 1.0.0 from local is larger than 0 MB", await With(new PackageLimits(PackageBytes: 100)));
    }

    [Fact]
    public async Task Install_PackageOfAnotherType_IsRefused() =>
        Assert.Equal("the package Evil 1.0.0 from local is refused: it is no plugin package, since its package type is not PluginHostPlugin", await Install(change: package => package.Type = "Dependency"));

    [Fact]
    public async Task Install_WithoutAnSdkRange_IsRefused() =>
        Assert.Equal("the package Evil 1.0.0 from local is refused: its nuspec names no dependency on PluginHost.Sdk, so nobody knows with which hosts it works", await Install(change: package => package.Sdk = ""));

    [Fact]
    public async Task Install_WithoutItsAssembly_IsRefused() =>
        Assert.Equal("the package Evil 1.0.0 from local is refused: it has no plugin/Evil.dll, and no other assembly that alone has a .deps.json beside it", await Install(change: package => package.Files.Remove("plugin/Evil.dll")));

    [Fact]
    public async Task Install_WithoutAPluginFolder_IsRefused() =>
        Assert.EndsWith("it has no files under plugin/, the folder of the plugin's own files", await Install(change: package => package.Files.Clear()), StringComparison.Ordinal);

    [Fact]
    public async Task Install_Truncated_IsRefused()
    {
        var path = TestPackage.Media("Evil", "1.0.0").WriteTo(place.Feed);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^200]);
        place.Publish("Acme.Good", "1.0.0");

        Assert.Equal($"the package file {path} is truncated, or no zip file at all", await place.Refused("Evil"));
        using var server = new FeedServer(place.Feed);
        place.Feeds = [new PackageFeed("http", server.Index)];
        Assert.Equal("the package Evil 1.0.0 from http is refused: it is truncated, or no zip file at all", await place.Refused("Evil"));
        await place.Install("Acme.Good");
    }

    [Fact]
    public async Task Install_VersionThatIsNone_NamesTheFile()
    {
        var path = Path.Combine(place.Feed, "Evil.1.0.0.nupkg");
        File.Move(TestPackage.Media("Evil", "4N0.0").WriteTo(place.Feed), path);

        Assert.StartsWith($"the package file {path} has an unusable nuspec: '4N0.0' is not a valid version string", await place.Refused("Evil"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_DamagedInTransit_IsRefusedByItsChecksum()
    {
        var package = TestPackage.Media("Evil", "1.0.0");
        package.Finish = archive =>
        {
            using var stream = archive.CreateEntry("plugin/stored.txt", CompressionLevel.NoCompression).Open();
            stream.Write("NEEDLE in the package"u8);
        };
        var path = package.WriteTo(place.Feed);
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.AsSpan().IndexOf("NEEDLE"u8)] = (byte)'n';
        File.WriteAllBytes(path, bytes);

        Assert.Equal("the package Evil 1.0.0 from local is refused: its file 'plugin/stored.txt' is damaged: the checksum differs", await place.Refused("Evil"));
    }

    [Fact]
    public void Install_AnyDamage_IsRefusedOrHarmless()
    {
        var path = TestPackage.Media("Evil", "1.0.0").WriteTo(place.Feed);
        var whole = File.ReadAllBytes(path);
        using var damaged = new PackagePlace();
        var file = Path.Combine(damaged.Feed, "Evil.1.0.0.nupkg");
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte, Gen.Bool).Sample((at, value, cut) =>
        {
            File.WriteAllBytes(file, cut ? whole[..at] : [.. whole[..at], value, .. whole[(at + 1)..]]);
            try
            {
                damaged.Install("Evil").GetAwaiter().GetResult();
                using var catalog = damaged.Discover();
                Assert.Empty(catalog.Installed.Faults);
                new PluginInstaller(damaged.Host).RemoveAsync("Evil", default).GetAwaiter().GetResult();
            }
            catch (Exception error) when (error is InstallFailedException or UserErrorException)
            {
                Assert.NotEmpty(error.Message);
            }
            Assert.Empty(damaged.Active);
            Assert.Empty(Directory.GetDirectories(damaged.Store.Folder));
        }, iter: 150, threads: 1);
    }
}
