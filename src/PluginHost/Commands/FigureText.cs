using System.Globalization;

namespace PluginHost.Commands;

/// <summary>Measured numbers as a person reads them.</summary>
internal static class FigureText
{
    /// <summary>Three digits or more.</summary>
    public static string Number(double value) => value.ToString(Math.Abs(value) switch { < 10 => "0.00", < 100 => "0.0", _ => "#,0" }, CultureInfo.InvariantCulture);

    /// <summary>Three digits behind the point.</summary>
    public static string Precise(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>Percent of a whole.</summary>
    public static string Share(double part) => (part * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    public static string Times(double ratio) => ratio.ToString("0.00", CultureInfo.InvariantCulture) + " ×";

    public static string Size(long bytes) => bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MB");
}
