using System.Security.Cryptography;
using System.Text;
using OxyPlot;

namespace PluginHost.Artifacts.Report;

/// <summary>Plots as SVG pictures that stand in a page.</summary>
internal static class PlotSvg
{
    /// <summary>A plot as an <c>svg</c> element. Ids are the page's: two pictures that both call something <c>clipPath1</c> would cut each other, so theirs differ.</summary>
    public static string Of(PlotModel plot, double width, double height)
    {
        var svg = new SvgExporter { Width = width, Height = height, IsDocument = false }.ExportToString(plot);
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(svg)).AsSpan(0, 6));
        return svg.Replace("id=\"", $"id=\"p{name}-", StringComparison.Ordinal).Replace("url(#", $"url(#p{name}-", StringComparison.Ordinal);
    }
}
