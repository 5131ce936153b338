using System.Diagnostics;
using System.Globalization;
using PluginHost.Runs;
using PluginHost.Runs.Training;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Terminal;

/// <summary>Shows a run: a bar with loss, speed and time left on a terminal, a plain line every few seconds elsewhere; TensorBoard events for both.</summary>
internal sealed class RunProgress(TextWriter output, bool terminal, string events) : IRunObserver
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BarInterval = TimeSpan.FromMilliseconds(200);

    private readonly TorchSharp.Modules.SummaryWriter writer = utils.tensorboard.SummaryWriter(events, createRunName: false);
    private readonly Stopwatch sinceShown = new();
    private int step;

    public void Say(string line) => output.WriteLine(line);

    public void StageStarted(string stage, int firstStep, int steps)
    {
        Say(firstStep == 0 ? $"stage {stage}: {steps} steps" : $"stage {stage}: {steps} steps, going on after step {firstStep}");
        sinceShown.Restart();
        step = firstStep;
    }

    public void Stepped(string stage, StepReport report)
    {
        writer.add_scalar($"{stage}/loss", (float)report.Loss, report.Step);
        foreach (var (objective, loss) in report.Losses) writer.add_scalar($"{stage}/loss/{objective}", (float)loss, report.Step);
        writer.add_scalar($"{stage}/learning-rate", (float)report.Rate, report.Step);
        writer.add_scalar($"{stage}/gradient-norm", (float)report.Norm, report.Step);
        var last = report.Step == report.Steps;
        if (!last && step > 0 && sinceShown.Elapsed < (terminal ? BarInterval : PlainInterval)) return;
        step = report.Step;
        sinceShown.Restart();
        Show(stage, $"{report.Step}/{report.Steps}", (double)report.Step / report.Steps,
            string.Create(CultureInfo.InvariantCulture, $"loss {report.Loss:0.0000}  {report.TokensPerSecond:#,0} tokens/s  {Left(report.Left)} left"), last);
    }

    public void Skipped(string stage, int step) => Say($"  {stage} step {step}: the gradients overflowed in fp16; skipped, with a smaller loss scale from here on");

    public void Validated(string stage, ValidationPoint point)
    {
        writer.add_scalar($"{stage}/validation-loss", (float)point.Loss, point.Step);
        if (point.AverageLoss is { } average) writer.add_scalar($"{stage}/validation-loss/average", (float)average, point.Step);
        Say(string.Create(CultureInfo.InvariantCulture, $"  {stage} validation after step {point.Step}: loss {point.Loss:0.0000}{(point.AverageLoss is { } loss ? $", of the averaged weights {loss:0.0000}" : "")}"));
    }

    public void StageFinished(StageResult result) => Say(string.Create(CultureInfo.InvariantCulture,
        $"stage {result.Name}: loss {result.FirstLoss:0.0000} -> {result.LastLoss:0.0000} in {result.Seconds:0} s, {result.TokensPerSecond:#,0} tokens/s, {result.DataWait:0.0%} of the time waiting for data"));

    public void Evaluating(string what, int done, int total)
    {
        if (done < total && sinceShown.Elapsed < (terminal ? BarInterval : PlainInterval)) return;
        sinceShown.Restart();
        Show("evaluating", $"{done}/{total}", (double)done / total, what, done == total);
    }

    private void Show(string name, string count, double part, string rest, bool last)
    {
        if (!terminal)
        {
            Say($"  {name} {count}  {rest}");
            return;
        }
        const int width = 28;
        var filled = (int)(part * width);
        AnsiConsole.Markup($"\r[bold]{Markup.Escape(name)}[/] [steelblue]{new string('━', filled)}[/][grey]{new string('─', width - filled)}[/] {count}  {Markup.Escape(rest)}\u001b[K");
        if (last) AnsiConsole.WriteLine();
    }

    private static string Left(TimeSpan left) => left.TotalHours >= 1 ? left.ToString(@"h\:mm\:ss") : left.ToString(@"m\:ss");
}
