using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Jobs;

/// <summary>Asks a server for jobs.</summary>
internal class JobClient(HttpClient client)
{
    private const string Path = "/v1/fine_tuning/jobs";

    protected HttpClient Client => client;

    public async Task<JsonNode> CreateAsync(object? body = null)
    {
        var response = await client.PostAsJsonAsync(Path, body ?? new { model = "small", training_file = "small.json" });
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    public async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await client.GetStringAsync($"{Path}{path}"))!;

    public Task<HttpResponseMessage> PostAsync(string path) => client.PostAsync($"{Path}{path}", null);

    /// <summary>A job's events, as id and message.</summary>
    public async Task<List<(string Id, string Message)>> EventsAsync(string id) =>
        [.. (await GetAsync($"/{id}/events?limit=100"))["data"]!.AsArray().Select(item => ((string)item!["id"]!, (string)item["message"]!))];

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
            if ((await EventsAsync(id)).Count(item => item.Message.StartsWith("a ", StringComparison.Ordinal)) >= steps) return;
            await Task.Delay(10);
        }
        throw new TimeoutException($"{id} does not train");
    }
}
