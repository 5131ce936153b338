using System.Diagnostics;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Clients;

/// <summary>OpenAI's own client for JavaScript, as it is published: npm's <c>openai</c>, below the folder that <c>PLUGINHOST_NPM</c> names.</summary>
public sealed class OpenAINodeTests
{
    private const string Script = """
        import OpenAI from 'openai';
        const client = new OpenAI({ baseURL: process.argv[2], apiKey: process.argv[3], maxRetries: 0 });
        const ask = more => client.chat.completions.create({ model: 'echo', messages: [{ role: 'user', content: 'héllo' }], ...more });
        const result = { pieces: [] };
        result.whole = (await ask({})).choices[0].message.content;
        for await (const chunk of await ask({ stream: true, stream_options: { include_usage: true } })) {
          const choice = chunk.choices[0];
          if (choice?.delta?.content) result.pieces.push(choice.delta.content);
          result.reason = choice?.finish_reason ?? result.reason;
          result.tokens = chunk.usage?.total_tokens;
        }
        const picture = [{ type: 'text', text: 'what?' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }];
        result.picture = (await ask({ messages: [{ role: 'user', content: picture }] })).choices[0].message.content;
        const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }];
        result.called = (await ask({ tools })).choices[0].message.tool_calls[0].function;
        result.vector = (await client.embeddings.create({ model: 'echo', input: 'abc' })).data[0].embedding;
        result.models = (await client.models.list()).data.map(model => model.id);
        try { await ask({ temperature: 3 }); } catch (error) { result.refused = { status: error.status, param: error.param, type: error.type }; }
        try { for await (const chunk of await ask({ stream: true, messages: [{ role: 'user', content: '!fail' }] })) ; } catch (error) { result.broken = error.constructor.name; }
        process.stdout.write(JSON.stringify(result));
        """;

    [SkippableFact]
    public async Task Client_OfNpm_TalksToTheServerUnchanged()
    {
        var npm = Environment.GetEnvironmentVariable("PLUGINHOST_NPM") ?? "";
        Skip.IfNot(Path.IsPathRooted(npm) && Directory.Exists(Path.Combine(npm, "node_modules", "openai")), "needs npm's openai: npm install --prefix FOLDER openai@7.55.0, and PLUGINHOST_NPM=FOLDER");
        var key = "";
        await using var server = await TestServer.StartAsync(keys: keys => key = keys.Create("someone", admin: false));

        var said = JsonNode.Parse(await Node(npm, Script, new Uri(server.Address, "v1").ToString(), key))!;

        Assert.Equal("héllo", (string)said["whole"]!);
        Assert.Equal(["h", "é", "l", "l", "o"], said["pieces"]!.AsArray().Select(piece => (string)piece!));
        Assert.Equal(("stop", 12), ((string)said["reason"]!, (int)said["tokens"]!));
        Assert.Equal("what? [image/png 3]", (string)said["picture"]!);
        Assert.Equal("weather", (string)said["called"]!["name"]!);
        Assert.Equal([3, 0.5], said["vector"]!.AsArray().Select(number => (double)number!));
        Assert.Equal("echo", (string)said["models"]![0]!);
        Assert.Equal((400, "temperature", "invalid_request_error"), ((int)said["refused"]!["status"]!, (string)said["refused"]!["param"]!, (string)said["refused"]!["type"]!));
        Assert.Equal("APIError", (string)said["broken"]!); // a stream that broke off is no answer
    }

    private static async Task<string> Node(string npm, string module, params string[] arguments)
    {
        var script = Path.Combine(npm, $"test-{Guid.NewGuid():N}.mjs");
        try
        {
            await File.WriteAllTextAsync(script, module);
            using var node = Process.Start(new ProcessStartInfo("node", [script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var (output, errors) = (node.StandardOutput.ReadToEndAsync(), node.StandardError.ReadToEndAsync());
            await node.WaitForExitAsync();
            Assert.True(node.ExitCode == 0, await errors);
            return await output;
        }
        finally
        {
            File.Delete(script);
        }
    }
}
