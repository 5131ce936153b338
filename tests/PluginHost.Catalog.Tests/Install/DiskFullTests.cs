using PluginHost.Catalog.Install;

namespace PluginHost.Catalog.Tests.Install;

public sealed class DiskFullTests
{
    [Fact]
    public async Task Install_DiskFullAtAnyByte_LeavesEverythingAsItWas()
    {
        using var place = new PackagePlace();
        place.Publish("Acme.Plain", "1.0.0");
        await place.Install("Acme.Plain");
        var package = place.Publish("Acme.Plain", "2.0.0");
        var size = package.Files.Values.Sum(file => file.Length);

        for (var room = 0; room < size; room += size / 20)
        {
            var left = room;
            var written = new List<string>();
            Stream Create(string path)
            {
                var used = written.Sum(file => new FileInfo(file).Length);
                written.Add(path);
                return new LimitedStream(File.Create(path), left - used, () => new IOException("No space left on device"));
            }
            var installer = new PluginInstaller(place.Host) { CreateFile = Create };
            var message = await place.Refused<InstallFailedException>(() => installer.InstallAsync("Acme.Plain", null, default));
            Assert.Equal($"the store {place.Store.Folder} cannot be written: No space left on device; nothing has changed", message);
        }

        Assert.Equal("1.0.0", place.Tell("media.acme-plain"));
        await place.Install("Acme.Plain");
        Assert.Equal("2.0.0", place.Tell("media.acme-plain"));
    }

    [SkippableFact]
    public async Task Install_RealDiskFull_LeavesEverythingAsItWas()
    {
        using var disk = new SmallDisk(megabytes: 1);
        using var place = new PackagePlace { StoreFolder = Path.Combine(disk.Folder, "store") };
        place.Publish("Acme.Plain", "1.0.0");
        await place.Install("Acme.Plain");
        var large = TestPackage.Media("Acme.Plain", "2.0.0");
        large.Files["plugin/large.bin"] = [.. Enumerable.Range(0, 3 << 20).Select(i => (byte)(i * 7919 >> 5))];
        large.WriteTo(place.Feed);

        Assert.Contains("No space left on device", await place.Refused("Acme.Plain"), StringComparison.Ordinal);
        Assert.Equal("1.0.0", place.Tell("media.acme-plain"));
    }
}
