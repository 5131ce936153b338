using PluginHost.Sdk;
using Source.Shards;

namespace Plugins.Data.Tests;

public sealed class ShardsTests : IDisposable
{
    private const string Shard = "shard-000000.tar";

    private readonly TemporaryFolder folder = new();

    public ShardsTests()
    {
        var sample = Path.Combine(Path.GetDirectoryName(typeof(ShardsSource).Assembly.Location)!, "sample");
        if (!File.Exists(Path.Combine(sample, "version.json"))) sample = Path.Combine(Repository(), "plugins", "Source.Shards", "sample");
        foreach (var file in Directory.GetFiles(sample)) folder.Write(Path.GetFileName(file), File.ReadAllBytes(file));
    }

    public void Dispose() => folder.Dispose();

    private static string Repository()
    {
        var path = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(path, "PluginHost.sln"))) path = Path.GetDirectoryName(path)!;
        return path;
    }

    private ISource Open(bool verify = false) => new ShardsSource(new ShardsOptions(folder.Path, verify)).Open(Surroundings.Source());

    private string Refusal(bool verify = false) => Assert.Throws<UserErrorException>(() => Open(verify)).Message;

    private void Change(string file, Action<FileStream> change)
    {
        using var stream = new FileStream(Path.Combine(folder.Path, file), FileMode.Open, FileAccess.ReadWrite);
        change(stream);
    }

    [Fact]
    public void Read_Sample_HasWhatTheManifestSaid()
    {
        using var source = Open(verify: true);

        Assert.Equal((3, 1, 0), (source.Count("train"), source.Count("validation"), source.Count("test")));
        var circle = source.Read("train", 0);
        Assert.Equal("circle.png", circle.Id);
        var part = Assert.IsType<MediaPart>(circle.Image);
        Assert.Equal(".png", part.Extension);
        Assert.Equal(File.ReadAllBytes(Path.Combine(Repository(), "plugins", "Source.Manifest", "sample", "circle.png")), part.Read());
        Assert.NotEmpty(circle.Turns);
    }

    [Fact]
    public void Open_ShardMissing_NamesIt()
    {
        File.Delete(Path.Combine(folder.Path, Shard));
        Assert.Contains($"{Shard} is missing; copy the version again", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_ShardCutShort_NamesItAndBothSizes()
    {
        Change(Shard, stream => stream.SetLength(4096));
        Assert.Contains($"{Shard} has 4,096 bytes where version.json states 7,168", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_IndexOfAnotherVersion_IsRefused()
    {
        File.AppendAllText(Path.Combine(folder.Path, "index.jsonl"), "{}\n");
        Assert.Contains("index.jsonl is not the one that version.json was written with", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"offset\":0", "\"offset\":-512", "places 'circle.png' at -512 of shard 0, where nothing is")]
    [InlineData("\"offset\":0", "\"offset\":99999", "places 'circle.png' at 99,999 of shard 0, where nothing is")]
    [InlineData("\"shard\":0", "\"shard\":-1", "of shard -1, where nothing is")]
    [InlineData("\"shard\":0", "\"shard\":7", "of shard 7, where nothing is")]
    public void Open_IndexThatPointsElsewhere_IsRefused(string from, string to, string expected)
    {
        ChangeIndex(index => index.Replace(from, to, StringComparison.Ordinal));
        Assert.Contains(expected, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_IndexWithASampleLess_NamesTheSplitAndBothCounts()
    {
        ChangeIndex(index => index[(index.IndexOf('\n', StringComparison.Ordinal) + 1)..]);
        Assert.Contains("index.jsonl has 2 samples in the split 'train' where version.json states 3", Refusal(), StringComparison.Ordinal);
    }

    /// <summary>Writes another index, of which version.json knows.</summary>
    private void ChangeIndex(Func<string, string> change)
    {
        var (index, manifest) = (Path.Combine(folder.Path, "index.jsonl"), Path.Combine(folder.Path, "version.json"));
        var before = Hash(index);
        File.WriteAllText(index, change(File.ReadAllText(index)));
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace(before, Hash(index), StringComparison.Ordinal));
    }

    private static string Hash(string path) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)));

    [Fact]
    public void Open_ContentChanged_IsRefusedWhenVerified()
    {
        Change(Shard, stream => { stream.Position = 600; stream.WriteByte((byte)'?'); });
        Assert.Contains($"{Shard} has another SHA-256 than version.json states", Refusal(verify: true), StringComparison.Ordinal);
        Open().Dispose();
    }

    [Fact]
    public void Open_ManifestDamaged_SaysSo()
    {
        folder.Write("version.json", "{ \"format\": 1 }");
        Assert.Contains("is damaged", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_DamagedSample_IsBadAndTheOthersAreNot()
    {
        // A header of zeros is an end of archive; one of noise has a wrong checksum.
        Change(Shard, stream => { stream.Position = 2048; stream.Write(new byte[512]); stream.Position = 4096; stream.Write([.. Enumerable.Range(0, 512).Select(i => (byte)(i * 7))]); });
        using var source = Open();

        Assert.Contains("no sample begins there", Assert.Throws<BadSampleException>(() => source.Read("train", 1)).Message, StringComparison.Ordinal);
        Assert.Contains($"{Shard} at 4096: the sample is damaged", Assert.Throws<BadSampleException>(() => source.Read("train", 2)).Message, StringComparison.Ordinal);
        Assert.Equal("circle.png", source.Read("train", 0).Id);
        Assert.Equal("three", source.Read("validation", 0).Id);
    }
}
