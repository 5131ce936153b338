using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;
using PluginHost.Runs.Training;

namespace PluginHost.Artifacts.Report;

/// <summary>The loss curve of a stage as an SVG picture.</summary>
internal static class LossPlot
{
    public static string Svg(StageResult stage)
    {
        var plot = new PlotModel { Title = $"{stage.Name} (pale: each step, blue: mean of 20, orange: validation)", TitleFontSize = 12, PlotAreaBorderColor = OxyColors.LightGray };
        plot.Axes.Add(Axis(AxisPosition.Bottom, "step"));
        plot.Axes.Add(Axis(AxisPosition.Left, "loss (nats)"));
        plot.Series.Add(Line(stage.Losses, OxyColors.LightSteelBlue, 1));
        plot.Series.Add(Line(Smooth(stage.Losses), OxyColors.SteelBlue, 2));
        var validations = new LineSeries { LineStyle = LineStyle.None, MarkerType = MarkerType.Circle, MarkerSize = 4, MarkerFill = OxyColors.DarkOrange };
        validations.Points.AddRange(stage.Validations.Select(validation => new DataPoint(validation.Step, validation.Loss)));
        plot.Series.Add(validations);
        return PlotSvg.Of(plot, 640, 320);
    }

    internal static LinearAxis Axis(AxisPosition position, string title) => new()
    {
        Position = position,
        Title = title,
        AxisTitleDistance = 10,
        MajorGridlineStyle = LineStyle.Solid,
        MajorGridlineColor = OxyColors.WhiteSmoke,
    };

    private static LineSeries Line(IEnumerable<double> values, OxyColor colour, double thickness)
    {
        var line = new LineSeries { Color = colour, StrokeThickness = thickness };
        line.Points.AddRange(values.Select((value, i) => new DataPoint(i + 1, value)));
        return line;
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
