using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using PluginHost.Artifacts;
using PluginHost.Catalog;
using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Serve;
using PluginHost.Serving.Models;
using PluginHost.Serving.Tools;
using PluginHost.Tools.Agents;
using PluginHost.Tools.Calls;

namespace PluginHost.Commands;

/// <summary>Asks a run, or a remote model of the host file, that may call the host's tools: <c>pluginhost chat --tools</c>. The loop is that of a served agent, and each step is shown.</summary>
internal sealed class ToolChatCommand(ChatRequest request, ILoggerFactory loggers, TextReader input, TextWriter output, CancellationToken cancellation)
{
    private readonly List<ChatMessage> conversation = [];

    public async Task<int> RunAsync()
    {
        if (request.Image is not null || request.Audio is not null || request.Video is not null || request.Adapters.Count > 0)
            throw new UserErrorException("chat --tools takes texts alone: leave --image, --audio, --video and --adapter out");
        var host = HostFile.Read(request.HostFile);
        using var plugins = PluginCatalog.Discover(host, loggers);
        await using var tools = await ToolHost.OpenAsync(host.Server, plugins, host.Folder, loggers);
        using var run = host.Server.Remotes.Any(remote => remote.Id == request.Run) ? null : Load(host);
        var model = run?.Chat ?? host.Server.Remotes.Where(remote => remote.Id == request.Run).Select(remote => new RemoteModel(remote).Chat).FirstOrDefault()
            ?? throw new UserErrorException($"the run '{request.Run}' writes no answers: it has no decoder");
        using var agent = new AgentChat(model, tools.Registry, new AgentConfig("chat", request.Run), Path.Combine(host.Artifacts, "agents"));
        if (request.Question is { } question)
        {
            await AnswerAsync(agent, question);
            return ExitCode.Success;
        }
        while (await Task.Run(input.ReadLine, CancellationToken.None).WaitAsync(cancellation) is { } line)
            if (line.Trim() is { Length: > 0 } asked) await AnswerAsync(agent, asked);
        return ExitCode.Success;
    }

    private LoadedRun Load(HostConfig host)
    {
        NativeTorch.Load();
        return new LoadedRun(request.Run, RunFolder.Find(host.Artifacts, request.Run), host, loggers, cancellation);
    }

    private async Task AnswerAsync(AgentChat agent, string question)
    {
        conversation.Add(new ChatMessage(ChatRole.User, question));
        var sampling = request.Sampling;
        var options = new ChatOptions { MaxOutputTokens = sampling.MaxTokens, Temperature = (float)sampling.Temperature, TopP = (float)sampling.TopP, Seed = sampling.Seed };
        var text = "";
        await foreach (var update in agent.GetStreamingResponseAsync(conversation, options, cancellation))
        {
            foreach (var content in update.Contents) text += Show(content);
        }
        if (request.Json) output.WriteLine(new JsonObject { ["question"] = question, ["answer"] = text }.ToJsonString());
        else output.WriteLine();
        conversation.Add(new ChatMessage(ChatRole.Assistant, text));
    }

    // What the answer's text grows by.
    private string Show(AIContent content)
    {
        switch (content)
        {
            case TextContent said:
                if (!request.Json) output.Write(said.Text);
                output.Flush();
                return said.Text;
            case FunctionCallContent call:
                var arguments = JsonSerializer.SerializeToNode(call.Arguments ?? new Dictionary<string, object?>(), AIJsonUtilities.DefaultOptions);
                output.WriteLine(request.Json ? new JsonObject { ["call"] = call.Name, ["arguments"] = arguments }.ToJsonString() : $"\n> {call.Name} {arguments?.ToJsonString()}");
                return "";
            case FunctionResultContent result when result.AdditionalProperties?.GetValueOrDefault(AgentChat.Outcome) is ToolOutcome outcome:
                output.WriteLine(request.Json ? new JsonObject { ["result"] = outcome.Text, ["error"] = outcome.IsError }.ToJsonString() : (outcome.IsError ? "< error: " : "< ") + outcome.Text);
                return "";
            default:
                return "";
        }
    }
}
