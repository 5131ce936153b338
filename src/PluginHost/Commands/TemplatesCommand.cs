using Microsoft.Extensions.Logging;
using PluginHost.Config;
using PluginHost.Data;
using PluginHost.Sdk;

namespace PluginHost.Commands;

/// <summary>Shows what a project's templates make of its samples: <c>pluginhost data build PROJECT --templates</c>.</summary>
internal sealed class TemplatesCommand(HostConfig host, TextWriter output, ILoggerFactory loggers, CancellationToken cancellation)
{
    /// <summary>Samples of a split that are looked through for one of each type.</summary>
    private const int Looked = 50;

    public int Run(string file, IReadOnlyList<string> set)
    {
        var project = ProjectFile.Read(file, set);
        if (project.Data.Templates is null) throw new UserErrorException($"{file}: 'data.templates' names no templates, so there is nothing to show; add \"templates\": \"template.library\".");
        // Only words are looked at: the graph stays unbuilt where it can.
        using var workspace = Workspace.Open(project with { Stages = [], Evaluate = [] }, host, null, project.Seed, loggers, cancellation);
        var source = workspace.Data.Source;
        foreach (var split in source.Splits.Where(split => split is Splits.Train or Splits.Validation))
        {
            var shown = new HashSet<string>();
            for (var index = 0; index < Math.Min(Looked, source.Count(split)); index++)
            {
                var sample = source.Read(split, index);
                foreach (var turn in sample.Turns.Where(turn => IsWorded(turn.Task) && shown.Add(turn.Task))) Show(sample, turn);
            }
        }
        return ExitCode.Success;
    }

    private static bool IsWorded(string task) => task.StartsWith(TemplatedSource.Seen, StringComparison.Ordinal) || task.StartsWith(TemplatedSource.Unseen, StringComparison.Ordinal);

    private void Show(Sample sample, Turn turn)
    {
        var prompt = turn.Prompt;
        foreach (var place in turn.Media.Reverse()) prompt = prompt.Insert(place.At, $"[{place.Modality}]");
        output.WriteLine($"{turn.Task}  ({sample.Id})");
        output.WriteLine($"  {prompt}");
        output.WriteLine($"  -> {turn.Answer}");
    }
}
