using System.Net;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Documents;

public sealed class DocumentKillTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("documents").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Documents_ServerKilledAtRandomMoments_WhatWasAcknowledgedIsThereAndWhatWasDeletedIsNot(int seed)
    {
        var random = new Random(seed);
        string? store = null;
        var (there, gone) = (new List<string>(), new List<string>());
        for (var kill = 0; kill < 4; kill++)
        {
            var (process, client) = await DocumentProcess.StartAsync(folder);
            try
            {
                store ??= (string)(await PostAsync(client, "/v1/vector_stores", "{}"))!["id"]!;
                for (var i = 0; i < 5; i++)
                {
                    using var sent = await client.PostAsync("/v1/files", DocumentServer.Form($"{kill}-{i}.txt", System.Text.Encoding.UTF8.GetBytes($"heron w{kill}x{i} " + string.Concat(Enumerable.Repeat("filler text. ", random.Next(0, 20_000))))));
                    var file = (string)JsonNode.Parse(await sent.Content.ReadAsStringAsync())!["id"]!;
                    await PostAsync(client, $"/v1/vector_stores/{store}/files", $$"""{"file_id":"{{file}}"}""");
                    there.Add(file);
                    if (i % 3 != 1) continue;
                    var victim = there[random.Next(there.Count)];
                    using var deleted = await client.DeleteAsync($"/v1/vector_stores/{store}/files/{victim}");
                    Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
                    there.Remove(victim);
                    gone.Add(victim);
                }
                await Task.Delay(random.Next(0, 300));
            }
            finally
            {
                process.Kill();
                await process.WaitForExitAsync();
                process.Dispose();
                client.Dispose();
            }
        }

        await using var last = await DocumentServer.StartAsync(folder);
        Assert.NotEmpty(gone);
        foreach (var file in there) Assert.Equal("completed", (string)(await last.UntilReadAsync(store!, file))["status"]!);
        Assert.Equal(there.Order(), (await last.FoundAsync(store!, "heron", ",\"max_num_results\":1000")).Order());
        foreach (var file in gone) Assert.Equal(HttpStatusCode.NotFound, (await last.SendAsync("GET", $"/v1/vector_stores/{store}/files/{file}")).Status);
    }

    private static async Task<JsonNode?> PostAsync(HttpClient client, string path, string json)
    {
        using var response = await client.PostAsync(path, new StringContent(json, System.Text.Encoding.UTF8, "application/json"));
        response.EnsureSuccessStatusCode();
        return JsonNode.Parse(await response.Content.ReadAsStringAsync());
    }
}
