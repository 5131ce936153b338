using System.Diagnostics;
using Index.Sqlite;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

public sealed class SqliteIndexTests : IDisposable
{
    private const int Kills = 30;

    private readonly string folder = Directory.CreateTempSubdirectory("sqlite-index").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Open_OwnedByAnother_IsRefused()
    {
        using var first = new DocumentIndex(folder, 4, true);

        Assert.Contains("another process has the index", Assert.Throws<UserErrorException>(() => new DocumentIndex(folder, 4, true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NoDatabase_SaysThatItIsDamaged()
    {
        File.WriteAllText(Path.Combine(folder, "index.db"), new string('x', 5000));

        Assert.Contains("is damaged", Assert.Throws<UserErrorException>(() => new DocumentIndex(folder, 4, true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_VectorsCutOff_SaysThatItIsDamaged()
    {
        using (var index = new DocumentIndex(folder, 4, true)) index.Put([IndexWriter.Document(1)]);
        File.WriteAllBytes(Path.Combine(folder, "vectors.f32"), []);

        Assert.Contains("vectors.f32 is shorter", Assert.Throws<UserErrorException>(() => new DocumentIndex(folder, 4, true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OtherStemming_IsRefused()
    {
        new DocumentIndex(folder, 4, true).Dispose();

        Assert.Contains("'stem' = true", Assert.Throws<UserErrorException>(() => new DocumentIndex(folder, 4, false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SearchText_Stems_FindOtherForms()
    {
        using var index = new DocumentIndex(folder, 0, true);
        index.Put([new IndexedDocument("a", "", [new IndexedChunk("she walks her dogs", "", default)])]);

        Assert.Single(index.SearchText("walking a dog", 5));
        Assert.Empty(index.SearchVector(default, 5));
    }

    [Fact]
    public void Put_FreedSlots_AreUsedAgain()
    {
        using (var index = new DocumentIndex(folder, 4, true))
            for (var round = 0; round < 50; round++) index.Put([.. Enumerable.Range(0, 100).Select(IndexWriter.Document)]);

        Assert.InRange(new FileInfo(Path.Combine(folder, "vectors.f32")).Length, 1, 4 * 4 * 4096);
    }

    /// <summary>A process writes documents and tells of each write that has returned; it is killed in the middle, thirty times over.</summary>
    [Fact]
    public void Put_KilledThirtyTimes_KeepsWhatWasAcknowledgedAndNothingElse()
    {
        var random = new Random(1);
        var next = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            var told = WriteAndKill(next, random.Next(1, 12));
            Assert.True(told > next, "nothing was written before the kill");
            using var index = new DocumentIndex(folder, IndexWriter.Width, true);
            // The write that was under way when the kill came may have been done without having been told of, whole.
            var there = index.Documents.Keys.Select(int.Parse).Order().ToArray();
            Assert.Equal(Enumerable.Range(0, there.Length), there);
            Assert.InRange(there.Length, told, told + IndexWriter.InAWrite);
            Assert.Equal(0, there.Length % IndexWriter.InAWrite);
            Assert.Equal(there.Length * 2, index.Chunks);
            Assert.Equal(there.Length * 2, index.SearchText("letter", int.MaxValue).Count);
            var all = index.SearchVector(new float[] { 1, 0, 0, 0 }, int.MaxValue);
            Assert.Equal(there.Length * 2, all.Select(found => (found.Document, found.Number)).Distinct().Count());
            Assert.All(all, found => Assert.Equal(IndexWriter.Vector(int.Parse(found.Document), found.Number)[0], found.Score));
            next = there.Length;
        }
    }

    // Kills the writer once it has told of so many writes; gives the documents that it has told of.
    private int WriteAndKill(int from, int writes)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(IndexWriter).Assembly.Location, "index-writer", folder, $"{from}"]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var told = from;
        for (var write = 0; write < writes && process.StandardOutput.ReadLine() is { } line; write++) told = int.Parse(line);
        process.Kill();
        // What it said before the kill counts, too; a line that the kill has cut is a smaller number.
        while (process.StandardOutput.ReadLine() is { } line)
            if (int.TryParse(line, out var more)) told = Math.Max(told, more);
        process.WaitForExit();
        return told;
    }
}
