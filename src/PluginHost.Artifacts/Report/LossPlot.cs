using PluginHost.Runs.Training;
using ScottPlot;

namespace PluginHost.Artifacts.Report;

/// <summary>The loss curve of a stage as an SVG picture.</summary>
internal static class LossPlot
{
    public static string Svg(StageResult stage)
    {
        using var plot = new Plot();
        var steps = Enumerable.Range(1, stage.Losses.Count).Select(step => (double)step).ToArray();
        var raw = plot.Add.ScatterLine(steps, [.. stage.Losses], Colors.LightSteelBlue);
        raw.LegendText = "each step";
        var smooth = plot.Add.ScatterLine(steps, Smooth(stage.Losses), Colors.SteelBlue);
        smooth.LineWidth = 2;
        smooth.LegendText = "mean of 20";
        if (stage.Validations.Count > 0)
        {
            var points = plot.Add.ScatterPoints(stage.Validations.Select(v => (double)v.Step).ToArray(), stage.Validations.Select(v => v.Loss).ToArray(), Colors.DarkOrange);
            points.MarkerSize = 8;
            points.LegendText = "validation";
        }
        plot.Title(stage.Name);
        plot.XLabel("step");
        plot.YLabel("loss (nats)");
        plot.ShowLegend(Alignment.UpperRight);
        return plot.GetSvgXml(640, 320);
    }

    private static double[] Smooth(IReadOnlyList<double> values, int width = 20)
    {
        var smooth = new double[values.Count];
        double sum = 0;
        for (var i = 0; i < values.Count; i++)
        {
            sum += values[i] - (i >= width ? values[i - width] : 0);
            smooth[i] = sum / Math.Min(i + 1, width);
        }
        return smooth;
    }
}
