using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;
using PluginHost.Artifacts.Report;

namespace PluginHost.Artifacts.Comparison;

/// <summary>Compared runs as SVG pictures.</summary>
internal static class ComparisonPlot
{
    private const double Width = 720;

    /// <summary>A generous width of a character: the page's font is that of whoever looks at it.</summary>
    private const double Character = 7.5;

    /// <summary>Accuracy beside the blind control, a pair of bars for each row.</summary>
    public static string Accuracy(IReadOnlyList<ComparisonRow> rows)
    {
        var plot = new PlotModel { Title = "accuracy (blue) beside the blind control (orange)", TitleFontSize = 12, PlotAreaBorderColor = OxyColors.LightGray };
        plot.PlotMargins = new OxyThickness(20 + Character * rows.Max(row => row.Project.Length), double.NaN, double.NaN, double.NaN);
        // The axis counts upwards; the first row belongs on top.
        ComparisonRow[] upwards = [.. rows.Reverse()];
        var projects = new CategoryAxis { Position = AxisPosition.Left, GapWidth = 0.4 };
        foreach (var row in upwards) projects.Labels.Add(row.Project);
        plot.Axes.Add(projects);
        var values = LossPlot.Axis(AxisPosition.Bottom, "");
        (values.Minimum, values.MaximumPadding) = (0, 0.05);
        plot.Axes.Add(values);
        plot.Series.Add(Bars(upwards.Select(row => row.Blind ?? 0), OxyColors.DarkOrange));
        plot.Series.Add(Bars(upwards.Select(row => row.Accuracy ?? 0), OxyColors.SteelBlue));
        return PlotSvg.Of(plot, Width, 90 + 55 * rows.Count);
    }

    /// <summary>A point for each row: tokens a second against accuracy.</summary>
    public static string Speed(IReadOnlyList<ComparisonRow> rows)
    {
        var plot = new PlotModel { Title = "speed of training against accuracy", TitleFontSize = 12, PlotAreaBorderColor = OxyColors.LightGray };
        var (speed, accuracy) = (LossPlot.Axis(AxisPosition.Bottom, "tokens/s"), LossPlot.Axis(AxisPosition.Left, "accuracy"));
        accuracy.AxisTitleDistance = 16;
        foreach (var axis in (LinearAxis[])[speed, accuracy]) (axis.MinimumPadding, axis.MaximumPadding) = (0.15, 0.15);
        plot.Axes.Add(speed);
        plot.Axes.Add(accuracy);
        var points = new ScatterSeries { MarkerType = MarkerType.Circle, MarkerSize = 5, MarkerFill = OxyColors.SteelBlue };
        // Names stand above and below in turn, so that neighbours do not write over each other.
        var above = false;
        foreach (var row in rows.OrderBy(row => row.TokensPerSecond))
        {
            if (row.Accuracy is not { } value || row.TokensPerSecond is not { } tokens) continue;
            above = !above;
            points.Points.Add(new ScatterPoint(tokens, value));
            plot.Annotations.Add(new TextAnnotation
            {
                Text = row.Project,
                TextPosition = new DataPoint(tokens, value),
                StrokeThickness = 0,
                Offset = new ScreenVector(0, above ? -6 : 6),
                TextVerticalAlignment = above ? VerticalAlignment.Bottom : VerticalAlignment.Top,
            });
        }
        plot.Series.Add(points);
        return PlotSvg.Of(plot, Width, 360);
    }

    private static BarSeries Bars(IEnumerable<double> values, OxyColor colour)
    {
        var bars = new BarSeries { FillColor = colour, LabelFormatString = "{0:0.000}", LabelPlacement = LabelPlacement.Inside, LabelMargin = 8, TextColor = OxyColors.White };
        foreach (var value in values) bars.Items.Add(new BarItem(value));
        return bars;
    }
}
