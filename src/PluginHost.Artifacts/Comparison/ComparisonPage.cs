using System.Globalization;
using PluginHost.Artifacts.Evaluations;
using Scriban;
using Scriban.Runtime;

namespace PluginHost.Artifacts.Comparison;

/// <summary>Compared runs as one HTML page that needs no network: a table, accuracy beside blind, speed against accuracy, and each task.</summary>
public static class ComparisonPage
{
    private static readonly Lazy<Template> Page = new(() =>
    {
        using var stream = typeof(ComparisonPage).Assembly.GetManifestResourceStream("PluginHost.Artifacts.Comparison.comparison.html")!;
        using var reader = new StreamReader(stream);
        return Template.Parse(reader.ReadToEnd());
    });

    public static string Render(IReadOnlyList<ComparisonRow> rows, IReadOnlyList<RunPair> pairs)
    {
        var whole = rows.Where(row => row.Accuracy is not null).ToList();
        var tasks = whole.SelectMany(row => row.Tasks.Keys).Distinct().Order(StringComparer.Ordinal).ToList();
        var model = new ScriptObject
        {
            ["rows"] = rows.Select(row => new ScriptObject
            {
                ["project"] = row.Project,
                ["run"] = row.Run ?? "",
                ["accuracy"] = Number(row.Accuracy, "0.000") + (row.Spread is { } spread ? $" ± {Number(spread, "0.000")}" : ""),
                ["blind"] = Number(row.Blind, "0.000"),
                ["speed"] = Number(row.TokensPerSecond, "#,0"),
                ["peak"] = Number(row.PeakMb, "#,0"),
                ["parameters"] = Number(row.Parameters, "#,0"),
                ["seconds"] = Number(row.Seconds, "0"),
                ["metric"] = row.Metric is null ? "" : $"{row.Metric} on {row.Split}",
                ["error"] = row.Error ?? "",
                ["tasks"] = tasks.Select(task => row.Tasks.TryGetValue(task, out var value) ? $"{Number(value.Accuracy, "0.000")} ({Number(value.Blind, "0.000")})" : "").ToList(),
            }).ToList(),
            ["tasks"] = tasks,
            ["pairs"] = pairs.Where(pair => pair.Differences.Count > 0).Select(pair => new ScriptObject
            {
                ["first"] = pair.First,
                ["second"] = pair.Second,
                ["differences"] = pair.Differences.Select(item => new ScriptObject
                {
                    ["metric"] = item.Metric,
                    ["split"] = item.Split,
                    ["first"] = Number(item.First, "0.000"),
                    ["second"] = Number(item.Second, "0.000"),
                    ["difference"] = Number(item.Difference, "+0.000;-0.000;0.000"),
                    ["interval"] = $"{Number(item.Low, "0.000")} to {Number(item.High, "0.000")}",
                    ["p"] = Number(item.P, "0.000"),
                }).ToList(),
            }).ToList(),
            ["plots"] = whole.Count == 0 ? [] : new List<string> { ComparisonPlot.Accuracy(whole), ComparisonPlot.Speed(whole) },
        };
        var context = new TemplateContext { LoopLimit = 0, LimitToString = 0 };
        context.PushGlobal(model);
        return Page.Value.Render(context);
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
