using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PluginHost.Serving.Jobs;

namespace PluginHost.Serving.Tests.Jobs;

/// <summary>
/// A server with jobs whose trainer is a script: it counts to twenty in files of the run folder, a number every few milliseconds. The lines of <c>steps</c> are what it goes on from.
/// </summary>
internal sealed class JobServer : IDisposable
{
    private const string Trainer = """
        exec 9> "$1/run.lock"; flock -n 9 || exit 75
        trap 'exit 75' TERM
        touch "$1/steps"; n=$(wc -l < "$1/steps"); echo "from $n" >> "$1/starts"
        if grep -q '"seed": 13' "$1/project.json" && [ ! -e "$1/mended" ]; then echo "warning" >&2; echo "the loss is not finite" >&2; exit 1; fi
        if [ -e "$1/../interrupt" ]; then rm "$1/../interrupt"; kill -TERM $$; fi
        while [ "$n" -lt 20 ]; do
          n=$((n + 1)); echo "$n" >> "$1/steps"; echo "  a $n/20  loss 0.5"
          read -r -t 0.03 _ || [ $? -gt 128 ] || exit 75
        done
        """;

    public string Folder { get; }

    public string File => Path.Combine(Folder, "jobs.db");

    public JobServer()
    {
        Folder = Directory.CreateTempSubdirectory("jobs").FullName;
        System.IO.File.WriteAllText(Path.Combine(Folder, "trainer.sh"), Trainer);
        System.IO.File.WriteAllText(Path.Combine(Folder, "small.json"), """{ "name": "small", "data": "source.none", "graph": { "image": "encoder.small" }, "stages": [{ "name": "a", "steps": 20, "objectives": { "x": "objective.square" } }] }""");
    }

    /// <param name="folder">A folder that another one has made.</param>
    public JobServer(string folder) => Folder = folder;

    /// <summary>What a job's run has in a file.</summary>
    public string Run(JsonNode job, string file) => System.IO.File.ReadAllText(Path.Combine(Folder, "runs", (string)job["run"]!, file));

    /// <summary>Starts a server over the file of jobs.</summary>
    /// <param name="mostPages">Most pages that the file may grow to; 0: what the disk has.</param>
    /// <param name="clock">What tells it the time; null: the system.</param>
    public async Task<RunningJobs> StartAsync(int mostPages = 0, TimeProvider? clock = null)
    {
        var store = new JobStore(File, mostPages);
        var options = new JobOptions(Folder, Path.Combine(Folder, "runs"), run => new ProcessStartInfo("bash") { ArgumentList = { Path.Combine(Folder, "trainer.sh"), run } });
        return new RunningJobs(await TestServer.StartAsync(configure: builder => builder.Services.AddTrainingJobs(store, options).AddSingleton(clock ?? TimeProvider.System), map: JobServices.MapTrainingJobs), store);
    }

    // A trainer ends by itself soon after its server has gone, and writes till then.
    public void Dispose()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.Delete(Folder, true);
                return;
            }
            catch (IOException) when (attempt < 100)
            {
                Thread.Sleep(50);
            }
        }
    }
}

/// <summary>A server with jobs in this process.</summary>
internal sealed class RunningJobs(TestServer server, JobStore store) : JobClient(server.Client), IAsyncDisposable
{
    public TestServer Server => server;

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        store.Dispose();
    }
}
