using System.Text.Json.Nodes;
using PluginHost.Artifacts.Datasets;
using PluginHost.Artifacts.Report;
using PluginHost.Data;
using PluginHost.Runs;
using PluginHost.Sdk;

namespace PluginHost.Artifacts.Tests.Datasets;

public sealed class DatasetBuildTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pluginhost-versions-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Samples in memory and in files; a split of its own for every fifth.</summary>
    private sealed class Samples(IReadOnlyList<Sample> all) : ISource
    {
        public IReadOnlyList<string> Splits { get; } = ["train", "test"];

        public string Fingerprint => "list";

        public int Count(string split) => Of(split).Count();

        public Sample Read(string split, int index) => Of(split).ElementAt(index);

        public void Dispose()
        {
        }

        private IEnumerable<Sample> Of(string split) => all.Where((_, i) => i % 5 == 4 == (split == "test"));
    }

    private sealed class EvenLetters : IFilter
    {
        public FilterDecision Decide(Sample sample) => sample.Id.Length % 2 == 0
            ? new FilterDecision(true, sample.Id.Length, 2, "kept")
            : new FilterDecision(false, sample.Id.Length, 2, $"'{sample.Id}' has an odd name") { Similar = ["even-0"] };

        public void Dispose()
        {
        }
    }

    /// <summary>Bytes go through until the disk is full.</summary>
    private sealed class SmallDisk(Stream inner, Func<int, bool> take) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count)
        {
            if (!take(count)) throw new IOException("No space left on device");
            inner.Write(buffer, offset, count);
        }
    }

    private static List<Sample> Ten() => [.. Enumerable.Range(0, 10).Select(i => new Sample(i % 4 == 3 ? $"odd-{i}oo" : $"even-{i}")
    {
        Image = new Picture(8, 8, [.. Enumerable.Range(0, 192).Select(value => (byte)(value * (i + 1)))]),
        Audio = i % 3 == 0 ? new Sound(2000, [.. Enumerable.Range(0, 100).Select(value => value % (i + 2) / 20f)]) : null,
        Texts = new Dictionary<string, string> { ["en"] = $"number {i}", ["zh"] = $"数字{i}" },
        Turns = [new Turn("count", "how many?", $"{i}", "image") { AlsoRight = ["some"] }],
    })];

    private static FilterOutcome Filter(ISource source) => new FilterRounds(
        source, new MediaDecoding([], new MediaFormat(8, 2000, 1)), (_, _) => { }, default).Run([[new ChosenFilter("filter.even", () => new EvenLetters())]]);

    private DatasetBuild Build(ISource source, string where = "a", Func<Stream, Stream>? disk = null, string recipe = "{}") =>
        new(source, Path.Combine(folder, where), "ten", JsonNode.Parse(recipe)!.AsObject(), (_, _) => { }, default) { ShardBytes = 4000, Disk = disk ?? (stream => stream) };

    private DatasetVersion Built(string where = "a", Func<Stream, Stream>? disk = null, List<Sample>? samples = null, string recipe = "{}")
    {
        var source = new Samples(samples ?? Ten());
        return Build(source, where, disk, recipe).Run(() => Filter(source)).Version;
    }

    private static string Contents(DatasetVersion version) => string.Join('\n', Directory.GetFiles(version.Path).Order(StringComparer.Ordinal).Select(file => $"{Path.GetFileName(file)} {DatasetVersion.Hash(file)}"));

    [Fact]
    public void Build_SameInputTwice_GivesTheSameNameAndBytes()
    {
        var (one, other) = (Built("a"), Built("b"));

        Assert.Equal(one.Name, other.Name);
        Assert.Equal(Contents(one), Contents(other));
        Assert.True(one.Shards.Count > 2, "several shards were meant");
        Assert.Empty(one.Verify());
    }

    [Fact]
    public void Build_WholeVersionThere_IsFoundAndNotBuiltAgain()
    {
        Built();
        var (_, built) = Build(new Samples(Ten())).Run(() => throw new InvalidOperationException("filtered again"));
        Assert.False(built);
    }

    [Fact]
    public void Build_OtherRecipeOrContent_HasAnotherName()
    {
        var changed = Ten();
        changed[2] = changed[2] with { Image = new Picture(8, 8, new byte[192]) };
        Assert.Equal(3, new[] { Built().Name, Built(recipe: """{"seed":2}""").Name, Built(samples: changed).Name }.Distinct().Count());
    }

    [Fact]
    public void Build_Samples_KeepTheirMediaTextsAndDecisions()
    {
        var version = Built();
        var read = version.Shards.SelectMany(shard => DatasetVersion.Read(version.File(shard.File))).ToArray();

        Assert.Equal(["even-0", "even-1", "even-2", "even-5", "even-6", "even-8", "even-4", "even-9"], read.Select(sample => (string)sample.Record["id"]!));
        Assert.Equal("数字0", (string)read[0].Record["texts"]!["zh"]!);
        Assert.Equal(["audio", "image"], read[0].Media.Keys.Order());
        Assert.Equal(MediaData.Of((Picture)Ten()[0].Image!).Data.ToArray(), read[0].Media["image"].Bytes);
        var decisions = File.ReadAllLines(version.DecisionsFile);
        Assert.Equal(10, decisions.Length);
        Assert.Contains("""{"id":"odd-3oo","split":"train","round":1,"filter":"filter.even","keep":false,"score":7,"threshold":2,"reason":"'odd-3oo' has an odd name","similar":["even-0"]}""", decisions);
        Assert.Equal((8, 2), ((int)version.Manifest["counts"]![0]!["kept"]!, (int)version.Manifest["counts"]![0]!["dropped"]!));
    }

    [Fact]
    public void Build_DiskFullAtAnyByte_GoesOnToTheSameVersion()
    {
        var expected = Contents(Built("whole"));
        var failures = 0;
        for (var room = 100; room < 30_000; room += 2900)
        {
            var (where, left) = ($"full-{room}", room);
            try
            {
                Built(where, stream => new SmallDisk(stream, count => (left -= count) >= 0));
            }
            catch (RunFailedException error)
            {
                failures++;
                Assert.Contains("cannot be written: No space left on device; what is whole stays there, and the same command goes on from it", error.Message, StringComparison.Ordinal);
                Assert.Single(Directory.GetDirectories(Path.Combine(folder, where), "*.partial"));
            }
            Assert.Equal(expected, Contents(Built(where)));
        }
        Assert.True(failures > 3, $"the disk was full only {failures} times");
    }

    [Fact]
    public void Build_Continued_WritesNoWholeShardAgain()
    {
        var left = 18_000;
        Assert.Throws<RunFailedException>(() => Built("a", stream => new SmallDisk(stream, count => (left -= count) >= 0)));
        var partial = Directory.GetDirectories(Path.Combine(folder, "a"), "*.partial").Single();
        var first = Path.Combine(partial, "shard-000000.tar");
        Assert.True(File.Exists(first), "the disk was full before the first shard");
        var written = File.GetLastWriteTimeUtc(first);
        File.WriteAllText(Path.Combine(partial, "shard-000009.tar.0.tmp"), "torn");

        var version = Built("a");
        Assert.Equal(written, File.GetLastWriteTimeUtc(version.File("shard-000000.tar")));
        Assert.DoesNotContain(Directory.GetFiles(version.Path), file => file.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public void Verify_ChangedByte_NamesShardAndRule()
    {
        var version = Built();
        using (var stream = new FileStream(version.File("shard-000001.tar"), FileMode.Open)) stream.WriteByte((byte)'x');
        Assert.Equal([$"{version.File("shard-000001.tar")}: the shard's SHA-256 is not the one that version.json states: its content has changed"], version.Verify());
    }

    [Fact]
    public void Find_UnknownVersion_NamesThoseThereAre()
    {
        var version = Built();
        version.MakeLatest();
        Assert.Equal(version.Path, DatasetVersion.Find(Path.Combine(folder, "a"), "latest").Path);
        Assert.Contains($"there are {version.Name}", Assert.Throws<UserErrorException>(() => DatasetVersion.Find(Path.Combine(folder, "a"), "none")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfAVersion_ShowsSamplesReasonsAndPairs()
    {
        var page = DatasetPage.Render(Built());

        Assert.StartsWith("<!doctype html>", page.TrimStart(), StringComparison.Ordinal);
        Assert.Contains("data:image/png;base64,", page, StringComparison.Ordinal);
        Assert.Contains("数字0", page, StringComparison.Ordinal);
        Assert.Contains("Near-duplicates", page, StringComparison.Ordinal);
        Assert.Contains("&#39;odd-3oo&#39; has an odd name", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http", page, StringComparison.Ordinal);
    }
}
