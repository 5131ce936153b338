using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PluginHost.Sdk;
using PluginHost.Serving.Jobs;

namespace PluginHost.Serving.Tests.Jobs;

public sealed class JobDiskTests : IDisposable
{
    private readonly JobServer jobs = new();

    public void Dispose() => jobs.Dispose();

    // A file of some hundred jobs with all that was said about them.
    private void Fill()
    {
        using var store = new JobStore(jobs.File);
        for (var i = 0; i < 100; i++) store.Add($"ftjob-{i}", "small", "small.json", "/runs/small", "{}", DateTimeOffset.UnixEpoch);
        for (var i = 0; i < 100; i++) store.Say($"ftjob-{i}", new string('x', 500), DateTimeOffset.UnixEpoch);
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.9)]
    public void Open_TruncatedFile_IsRefusedAndLeftAlone(double part)
    {
        Fill();
        using (var file = File.Open(jobs.File, FileMode.Open)) file.SetLength((long)(file.Length * part));
        var before = File.ReadAllBytes(jobs.File);

        var refused = Assert.Throws<UserErrorException>(() => new JobStore(jobs.File));

        Assert.StartsWith($"{jobs.File} is damaged", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(jobs.File));
    }

    [Fact]
    public void Open_FileWithAnOverwrittenPage_IsRefusedAndLeftAlone()
    {
        Fill();
        using (var file = File.OpenWrite(jobs.File))
        {
            file.Position = 4096 * (file.Length / 4096 / 2); // the first page, which opening reads, is sound
            file.Write(new byte[4096]);
        }
        var before = File.ReadAllBytes(jobs.File);

        Assert.Throws<UserErrorException>(() => new JobStore(jobs.File));

        Assert.Equal(before, File.ReadAllBytes(jobs.File));
    }

    [Fact]
    public void Open_AfterItWasRefused_IsNotHeldByTheRefusal()
    {
        Fill();
        var sound = File.ReadAllBytes(jobs.File);
        File.WriteAllBytes(jobs.File, sound[..(sound.Length / 2)]);
        Assert.Throws<UserErrorException>(() => new JobStore(jobs.File));
        File.WriteAllBytes(jobs.File, sound);

        using var store = new JobStore(jobs.File);

        Assert.Equal(100, store.List(null, 1000).Count);
    }

    [Fact]
    public void Add_FullDisk_LeavesTheJobsAsTheyWere()
    {
        using (var store = new JobStore(jobs.File, mostPages: 12))
        {
            var added = 0;
            var full = Assert.Throws<SqliteException>(() =>
            {
                for (; added < 1000; added++) store.Add($"ftjob-{added}", "small", "small.json", "/runs/small", new string('x', 500), DateTimeOffset.UnixEpoch);
            });
            Assert.Equal(13, full.SqliteErrorCode);
            Assert.Equal(added, store.List(null, 1000).Count);
            Assert.Empty(store.Events($"ftjob-{added}", 0, 10)); // not half of it
        }
        using var again = new JobStore(jobs.File);
        Assert.Equal("ftjob-new", again.Add("ftjob-new", "small", "small.json", "/runs/small", "{}", DateTimeOffset.UnixEpoch).Id);
    }

    [Fact]
    public async Task Create_FullDisk_SaysThatNothingWasTaken()
    {
        using (var store = new JobStore(jobs.File)) store.Add("ftjob-old", "small", "small.json", "/nowhere", "{}", DateTimeOffset.UnixEpoch);
        var pages = (int)(new FileInfo(jobs.File).Length / 4096);
        var taken = 1;
        await using (var server = await jobs.StartAsync(pages))
        {
            HttpResponseMessage response;
            while ((response = await server.Server.PostAsync("/v1/fine_tuning/jobs", """{"model":"small","training_file":"small.json"}""")).IsSuccessStatusCode) taken++;

            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            var error = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!;
            Assert.Equal("jobs_unavailable", (string)error["code"]!);
            Assert.Contains("full", (string)error["message"]!, StringComparison.Ordinal);
        }
        using var freed = new JobStore(jobs.File);
        Assert.Equal(taken, freed.List(null, 1000).Count);
        Assert.True(freed.Change("ftjob-old", [JobStatus.Queued, JobStatus.Running, JobStatus.Failed], JobStatus.Cancelled, "cancelled", DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public async Task Run_FolderThatIsGone_FailsThatJobAndNotTheOthers()
    {
        using (var store = new JobStore(jobs.File)) store.Add("ftjob-old", "small", "small.json", Path.Combine(jobs.Folder, "gone"), "{}", DateTimeOffset.UnixEpoch);
        await using var server = await jobs.StartAsync();
        var other = (string)(await server.CreateAsync())["id"]!;

        var failed = await server.UntilAsync("ftjob-old", "failed");

        Assert.Contains("is gone; restore it", (string)failed["error"]!["message"]!, StringComparison.Ordinal);
        await server.UntilAsync(other, "succeeded");
    }
}
