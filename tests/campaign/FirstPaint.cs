using System.Globalization;
using Microsoft.Playwright;

namespace PluginHost.Campaign;

/// <summary>Opens the dashboard of a running server in a browser that has nothing of it yet, again and again.</summary>
internal static class FirstPaint
{
    private const int Rounds = 9;
    private static readonly string[] Pages = ["graph", "plugins", "runs", "playground", "tools", "documents", "traffic"];
    private static readonly string[] Browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    /// <summary>False: there is no browser.</summary>
    public static async Task<bool> RunAsync(Uri address)
    {
        if (Browsers.FirstOrDefault(File.Exists) is not { } program) return false;
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = program, Args = ["--headless", "--no-sandbox", "--disable-gpu"] });
        foreach (var name in Pages)
        {
            var (paints, shown) = (new List<double>(), new List<double>());
            for (var round = 0; round < Rounds; round++)
            {
                await using var context = await browser.NewContextAsync();
                var page = await context.NewPageAsync();
                await page.GotoAsync($"{address}#{name}");
                await page.Locator($"main[data-shown={name}]").WaitForAsync();
                shown.Add(await page.EvaluateAsync<double>("performance.now()"));
                // Read once it is there: what is shown first may be painted a frame later than it is built.
                paints.Add(await page.EvaluateAsync<double>("new Promise(seen => new PerformanceObserver(list => seen(list.getEntriesByName('first-contentful-paint')[0]?.startTime)).observe({ type: 'paint', buffered: true }))"));
            }
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-12} first paint {Median(paints):0} ms, whole after {Median(shown):0} ms (medians of {Rounds}; the slowest {paints.Max():0} and {shown.Max():0} ms)"));
        }
        return true;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
