using Microsoft.Extensions.Logging;
using PluginHost.Artifacts;
using PluginHost.Config;
using PluginHost.Runs.Generation;
using PluginHost.Sdk;

namespace PluginHost.Commands;

/// <summary>What <c>pluginhost chat</c> was asked for.</summary>
internal sealed record ChatRequest(string Run, string? Question, string? Image, string? Audio, string? Video, string? HostFile, Sampling Sampling, bool Json)
{
    /// <summary>Folders of adapters; the first answers until another is chosen.</summary>
    public IReadOnlyList<string> Adapters { get; init; } = [];
}

/// <summary>Asks a trained run about a picture, a sound and a video: <c>pluginhost chat</c>.</summary>
internal sealed class ChatCommand(ChatRequest request, ILoggerFactory loggers, TextReader input, TextWriter output, CancellationToken cancellation)
{
    public int Run()
    {
        var host = HostFile.Read(request.HostFile);
        var run = RunFolder.Find(host.Artifacts, request.Run);
        var project = ProjectFile.Read(run.Project, []);
        using var workspace = Workspace.Open(project, host, File.ReadAllText(run.Tokenizer), project.Seed, loggers, cancellation);
        workspace.LoadWeights(run);
        var sample = workspace.Data.Decode(new Sample("chat")
        {
            Image = request.Image is null ? null : new MediaFile(Path.GetFullPath(request.Image)),
            Audio = request.Audio is null ? null : new MediaFile(Path.GetFullPath(request.Audio)),
            Video = request.Video is null ? null : new MediaFile(Path.GetFullPath(request.Video)),
        });
        using var use = workspace.Graph.Acquire();
        using var adapters = new ChatAdapters(request.Adapters, use.Graph, workspace.Catalog);
        var generator = new TextGenerator(use.Graph, workspace.Data);
        if (request.Question is { } question)
        {
            Answer(generator, sample, question, adapters.Current);
            return 0;
        }
        while (NextLine() is { } line)
            if (line.Trim() is { Length: > 0 } asked && !adapters.Choose(asked, output)) Answer(generator, sample, asked, adapters.Current);
        return 0;
    }

    // Reading cannot be stopped, but waiting for it can.
    private string? NextLine() => Task.Run(input.ReadLine).WaitAsync(cancellation).GetAwaiter().GetResult();

    private void Answer(TextGenerator generator, Sample sample, string question, ITuning? adapter)
    {
        if (request.Json)
        {
            var answer = generator.Answer([(sample, new Turn("", question, ""))], [], request.Sampling, adapter: adapter, cancellation: cancellation)[0].Text;
            output.WriteLine(new System.Text.Json.Nodes.JsonObject { ["question"] = question, ["answer"] = answer }.ToJsonString());
            return;
        }
        var shown = 0;
        generator.Stream(sample, question, request.Sampling, text =>
        {
            // A code point may still be growing: its bytes decode to U+FFFD until it is whole.
            var whole = text.TrimStart().TrimEnd('\uFFFD');
            if (whole.Length <= shown) return;
            output.Write(whole[shown..]);
            output.Flush();
            shown = whole.Length;
        }, cancellation, adapter);
        output.WriteLine();
    }
}
