namespace PluginHost.Config.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("atomic").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public void Write_FailingHalfway_LeavesTheOldFileAndNothingElse()
    {
        var path = Path.Combine(folder, "file");
        AtomicFile.WriteText(path, "old");

        Assert.Throws<IOException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write("ne"u8);
            throw new IOException("disk full");
        }));

        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(folder));
    }

    [Fact]
    public void WriteText_NewFolder_IsMade()
    {
        var path = Path.Combine(folder, "a", "b", "file");
        AtomicFile.WriteText(path, "日本");
        Assert.Equal("日本", File.ReadAllText(path));
    }
}
