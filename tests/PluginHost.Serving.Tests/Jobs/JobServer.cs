using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PluginHost.Serving.Jobs;

namespace PluginHost.Serving.Tests.Jobs;

/// <summary>A server with jobs whose trainer is a script: it counts to twenty in a file of the run folder, a number every few milliseconds.</summary>
internal sealed class JobServer : IDisposable
{
    private const string Trainer = """
        exec 9> "$1/run.lock"; flock -n 9 || { echo "another process trains it" >&2; exit 1; }
        n=$(cat "$1/step" 2> /dev/null || echo 0); echo "from $n" >> "$1/starts"
        if grep -q '"seed": 13' "$1/project.json" && [ ! -e "$1/mended" ]; then echo "warning" >&2; echo "the loss is not finite" >&2; exit 1; fi
        while [ "$n" -lt 20 ]; do
          n=$((n + 1)); echo "$n" > "$1/step.tmp"; mv "$1/step.tmp" "$1/step"; echo "  a $n/20  loss 0.5"
          read -r -t 0.03 _ || [ $? -gt 128 ] || exit 1
        done
        """;

    public string Folder { get; } = Directory.CreateTempSubdirectory("jobs").FullName;

    public string File => Path.Combine(Folder, "jobs.db");

    public JobServer()
    {
        System.IO.File.WriteAllText(Path.Combine(Folder, "trainer.sh"), Trainer);
        System.IO.File.WriteAllText(Path.Combine(Folder, "small.json"), """{ "name": "small", "data": "source.none", "graph": { "image": "encoder.small" }, "stages": [{ "name": "a", "steps": 20, "objectives": { "x": "objective.square" } }] }""");
    }

    /// <summary>Starts a server over the file of jobs.</summary>
    public async Task<RunningJobs> StartAsync()
    {
        var store = new JobStore(File);
        var options = new JobOptions(Folder, Path.Combine(Folder, "runs"), run => new ProcessStartInfo("bash") { ArgumentList = { Path.Combine(Folder, "trainer.sh"), run } });
        return new RunningJobs(await TestServer.StartAsync(configure: builder => builder.Services.AddTrainingJobs(store, options), map: JobServices.MapTrainingJobs), store);
    }

    public void Dispose() => Directory.Delete(Folder, true);
}

/// <summary>A server with jobs.</summary>
internal sealed class RunningJobs(TestServer server, JobStore store) : IAsyncDisposable
{
    private const string Path = "/v1/fine_tuning/jobs";

    public TestServer Server => server;

    public async Task<JsonNode> CreateAsync(object? body = null)
    {
        var response = await server.Client.PostAsJsonAsync(Path, body ?? new { model = "small", training_file = "small.json" });
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    public async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await server.Client.GetStringAsync($"{Path}{path}"))!;

    public Task<HttpResponseMessage> PostAsync(string path) => server.Client.PostAsync($"{Path}{path}", null);

    /// <summary>Waits until a job stands somewhere.</summary>
    public async Task<JsonNode> UntilAsync(string id, params string[] states)
    {
        for (var i = 0; i < 1500; i++)
        {
            var job = await GetAsync($"/{id}");
            if (states.Contains((string)job["status"]!)) return job;
            await Task.Delay(20);
        }
        throw new TimeoutException($"{id} is {(await GetAsync($"/{id}"))["status"]}, not {string.Join(" or ", states)}");
    }

    /// <summary>Waits until a job has trained some steps.</summary>
    public async Task StepsAsync(string id, int steps)
    {
        for (var i = 0; i < 1500; i++)
        {
            if ((await GetAsync($"/{id}/events?limit=100"))["data"]!.AsArray().Count(item => ((string)item!["message"]!).StartsWith("a ", StringComparison.Ordinal)) >= steps) return;
            await Task.Delay(10);
        }
        throw new TimeoutException($"{id} does not train");
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        store.Dispose();
    }
}
