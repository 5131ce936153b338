using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace PluginHost.EndToEnd.Tests;

/// <summary>The dashboard in a real browser, over a real server.</summary>
public sealed class DashboardTests(ServedPocket served) : IClassFixture<ServedPocket>, IAsyncLifetime
{
    private static readonly string? Chromium = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);

    private readonly List<string> problems = [];
    private IPlaywright? playwright;
    private IBrowser browser = null!;

    public async Task InitializeAsync()
    {
        if (Chromium is null) return;
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Chromium,
            Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async Task DisposeAsync()
    {
        if (playwright is null) return;
        await browser.DisposeAsync();
        playwright.Dispose();
    }

    [SkippableTheory]
    [InlineData("graph", ColorScheme.Light)]
    [InlineData("graph", ColorScheme.Dark)]
    [InlineData("plugins", ColorScheme.Light)]
    [InlineData("plugins", ColorScheme.Dark)]
    [InlineData("runs", ColorScheme.Light)]
    [InlineData("runs", ColorScheme.Dark)]
    [InlineData("playground", ColorScheme.Light)]
    [InlineData("playground", ColorScheme.Dark)]
    [InlineData("tools", ColorScheme.Light)]
    [InlineData("tools", ColorScheme.Dark)]
    [InlineData("documents", ColorScheme.Light)]
    [InlineData("documents", ColorScheme.Dark)]
    [InlineData("traffic", ColorScheme.Light)]
    [InlineData("traffic", ColorScheme.Dark)]
    public async Task Page_Opened_IsSoundAndStaysOnThisMachine(string name, ColorScheme scheme)
    {
        var page = await OpenAsync(name, scheme);

        var picture = await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(served.Host.Folder, "pages", $"{name}-{scheme}.png") });

        Assert.True(picture.Length > 12_000, $"the picture of the page is nearly empty: {picture.Length} bytes");
        await AssertAccessibleAsync(page);
        Assert.Empty(problems);
    }

    [SkippableFact]
    public async Task Node_ChangedByKeyboard_ShowsTheDifferenceFirstAndServes()
    {
        var page = await OpenAsync("graph");
        await page.Locator("[data-node=fusion]").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#use").SelectOptionAsync("fusion.late");

        await page.GetByText("Preview change…").ClickAsync();
        var dialog = page.Locator("#dialog");
        await dialog.GetByText("\"fusion.late\"").WaitForAsync();
        await AssertAccessibleAsync(page);
        Assert.NotEqual("fusion.late", await PluginOfAsync("fusion"));
        await dialog.GetByText("Apply").ClickAsync();

        await page.GetByText("fusion is changed:").WaitForAsync();
        Assert.Equal("fusion.late", await PluginOfAsync("fusion"));
        var back = await served.PostAsync("/admin/graph/fusion", new { use = "fusion.mid", apply = true });
        Assert.True(back.IsSuccessStatusCode, await back.Content.ReadAsStringAsync());
        Assert.Empty(problems);
    }

    [SkippableFact]
    public async Task Node_ChangedToWhatCannotBe_SaysWhyAndChangesNothing()
    {
        var before = await PluginOfAsync("fusion");

        var wrong = await served.PostAsync("/admin/graph/fusion", new { settings = new { layerz = 3 }, apply = true });
        var missing = await served.PostAsync("/admin/graph/fushion", new { use = "fusion.mid", apply = true });

        Assert.Equal(400, (int)wrong.StatusCode);
        Assert.Contains("'layerz'", await wrong.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("did you mean 'fusion'?", await missing.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(before, await PluginOfAsync("fusion"));
    }

    [SkippableFact]
    public async Task Playground_MessageSent_ShowsTheAnswer()
    {
        var page = await OpenAsync("playground");

        await page.Locator("#say").FillAsync("what colour is the star?");
        await page.Keyboard.PressAsync("Enter");

        await page.Locator("article.turn.assistant").WaitForAsync();
        await page.GetByText("Stop", new PageGetByTextOptions { Exact = true }).WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Detached });
        Assert.Equal("", await page.Locator("#messages").InnerTextAsync());
        Assert.Empty(problems);
    }

    [SkippableFact]
    public async Task Playground_AnswerThatCites_ShowsItsSources()
    {
        const string passage = """{"passages":[{"mark":"[1]","id":"file-a#0","document":"file-a","source":"birds.md","place":"Herons","text":"A heron has long legs."}]}""";
        var page = await OpenAsync("playground");
        // The small model cites nothing: this is what an agent over documents answers.
        await page.RouteAsync("**/v1/chat/completions", route => route.FulfillAsync(new RouteFulfillOptions
        {
            ContentType = "text/event-stream",
            Body = string.Concat(new JsonObject[]
            {
                new() { ["tool_results"] = new JsonArray(new JsonObject { ["name"] = "retrieve", ["content"] = passage }) },
                new() { ["content"] = "Herons wade [1]." },
                new() { ["annotations"] = new JsonArray(new JsonObject { ["file_citation"] = new JsonObject { ["start_index"] = 12, ["end_index"] = 15, ["filename"] = "birds.md", ["place"] = "Herons", ["passage_id"] = "file-a#0" } }) },
            }.Select(delta => $"data: {new JsonObject { ["choices"] = new JsonArray(new JsonObject { ["delta"] = delta }) }.ToJsonString()}\n\n")) + "data: [DONE]\n\n",
        }));

        await page.Locator("#say").FillAsync("what do herons do?");
        await page.Keyboard.PressAsync("Enter");

        var source = page.Locator("section[aria-label=Sources] details");
        await source.GetByText("[1] birds.md, Herons").ClickAsync();
        await source.GetByText("A heron has long legs.").WaitForAsync();
        await AssertAccessibleAsync(page);
        Assert.Empty(problems);
    }

    [SkippableFact]
    public async Task Documents_FileAddedByKeyboard_IsFoundAndRemoved()
    {
        var page = await OpenAsync("documents");

        await page.GetByText("Make a vector store…").ClickAsync();
        await page.Locator("#name").FillAsync("notes");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#file").SetInputFilesAsync(new FilePayload { Name = "birds.md", MimeType = "text/markdown", Buffer = "# Herons\nA heron has long legs."u8.ToArray() });
        await page.GetByText("Add the file").ClickAsync();
        await page.GetByRole(AriaRole.Cell, new PageGetByRoleOptions { Name = "completed" }).WaitForAsync();
        await page.Locator("#query").FillAsync("long legs");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("A heron has long legs.").WaitForAsync();
        Assert.Equal(0, await page.Locator("#picture").CountAsync()); // it is searched by its words
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(served.Host.Folder, "pages", "documents-found.png") });
        await AssertAccessibleAsync(page);

        await page.Locator("fluent-button[aria-label='Remove birds.md']").ClickAsync();
        await page.GetByText("There are no files in it.").WaitForAsync();
        await page.Locator("fluent-button[aria-label='Delete notes']").ClickAsync();
        await page.GetByText("There are no vector stores.").WaitForAsync();
        Assert.Empty(problems);
    }

    [SkippableFact]
    public async Task Documents_StoreOfPictures_IsSearchedByOne()
    {
        var page = await OpenAsync("plugins");
        // The server searches by words: this is what one with towers for pictures answers.
        await page.RouteAsync("**/v1/vector_stores?limit=100", route => Answer(route, """
            {"data":[{"id":"vs_a","name":"album","file_counts":{"total":1,"completed":1,"failed":0},"retrieval":{"retriever":"retriever.dense","encoder":"towers","reranker":null,"pictures":true}}]}
            """));
        await page.RouteAsync("**/v1/vector_stores/vs_a/files?limit=100", route => Answer(route, """{"data":[]}"""));
        JsonNode? asked = null;
        await page.RouteAsync("**/v1/vector_stores/vs_a/search", route =>
        {
            asked = JsonNode.Parse(route.Request.PostData!);
            return Answer(route, """{"data":[{"filename":"heron.png","place":"","score":0.9,"content":[{"type":"text","text":"heron"}]}]}""");
        });
        await page.EvaluateAsync("location.hash = 'documents'");

        await page.GetByLabel("Search by a picture").SetInputFilesAsync(new FilePayload { Name = "a.png", MimeType = "image/png", Buffer = [1, 2, 3] });
        await page.GetByText("Find what is near it").ClickAsync();

        await page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "heron.png" }).WaitForAsync();
        Assert.Equal("""{"query":{"type":"image_url","image_url":{"url":"data:image/png;base64,AQID"}}}""", asked!.ToJsonString());
        await AssertAccessibleAsync(page);
        Assert.Empty(problems);

        static Task Answer(IRoute route, string body) => route.FulfillAsync(new RouteFulfillOptions { ContentType = "application/json", Body = body });
    }

    [SkippableFact]
    public async Task Tools_OneThatWaits_IsApprovedAndRemoved()
    {
        var registered = await served.PostAsync("/v1/tools", new { name = "paint", description = "Paints a wall", endpoint = "https://tools.example/paint", writes = true, parameters = new { colour = new { type = "string" } } });
        Assert.True(registered.IsSuccessStatusCode, await registered.Content.ReadAsStringAsync());
        var page = await OpenAsync("tools");

        await page.GetByText("waits for approval").WaitForAsync();
        await AssertAccessibleAsync(page);
        await page.GetByText("Approve", new PageGetByTextOptions { Exact = true }).ClickAsync();
        await page.GetByText("can be called").WaitForAsync();
        Assert.Equal("ready", (string)(await served.Client.GetFromJsonAsync<JsonNode>("/v1/tools/paint"))!["state"]!);
        await page.GetByText("Call…").ClickAsync();
        await page.Locator("#dialog").GetByLabel("colour").WaitForAsync();
        await page.Locator("#dialog").GetByText("Cancel").ClickAsync();
        await page.GetByText("Remove", new PageGetByTextOptions { Exact = true }).ClickAsync();

        await page.GetByText("There are no tools.").WaitForAsync();
        Assert.Empty(problems);
    }

    [SkippableFact]
    public async Task Runs_TwoChosen_ShowBothCurvesAndWhereTheyDiffer()
    {
        served.Host.Run(["run", HostProcess.Project("pocket.json"), .. HostProcess.Tiny(2), "--set", "evaluate=[]", "--set", "seed=12345"]).Succeeded();
        var page = await OpenAsync("runs");

        await page.Locator("input[type=checkbox]:not(:checked)").First.FocusAsync();
        await page.Keyboard.PressAsync("Space");

        var differing = page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "Settings in which they differ" });
        await differing.GetByText("12345").WaitForAsync();
        Assert.Equal("seed", await differing.Locator("tbody td").First.InnerTextAsync());
        Assert.NotEqual(0, await page.Locator("figure.card").CountAsync());
        foreach (var figure in await page.Locator("figure.card").AllAsync()) Assert.Equal(2, await figure.Locator("path").CountAsync());
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(served.Host.Folder, "pages", "runs-compared.png"), FullPage = true });
        await AssertAccessibleAsync(page);
        Assert.Empty(problems);
    }

    private async Task<string> PluginOfAsync(string node) =>
        (string)(await served.Client.GetFromJsonAsync<JsonNode>("/admin/graph"))!["nodes"]!.AsArray().Single(item => (string)item!["name"]! == node)!["plugin"]!;

    private async Task<IPage> OpenAsync(string name, ColorScheme scheme = ColorScheme.Light)
    {
        Skip.If(Chromium is null, "needs a browser: apt-get install chromium");
        var page = await browser.NewPageAsync(new BrowserNewPageOptions { ColorScheme = scheme, ViewportSize = new ViewportSize { Width = 1300, Height = 850 } });
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") problems.Add($"console: {message.Text}");
        };
        page.PageError += (_, error) => problems.Add($"page: {error}");
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(served.Client.BaseAddress!.ToString(), StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal)) problems.Add($"request: {request.Url}");
        };
        await page.GotoAsync($"{served.Client.BaseAddress}#{name}");
        await page.Locator($"main[data-shown={name}]").WaitForAsync();
        return page;
    }

    private static async Task AssertAccessibleAsync(IPage page)
    {
        var found = (await page.RunAxe()).Violations.Where(violation => violation.Impact is "serious" or "critical");
        Assert.Empty(found.Select(violation => $"{violation.Id}: {violation.Help} ({string.Join("; ", violation.Nodes.Select(node => node.Html))})"));
    }
}
