using PluginHost.Sdk.Testing;

namespace Plugins.Tools.Tests;

public class CalculatorToolConformance : ToolConformance
{
    public override string Id => "tool.calculator";

    protected override IReadOnlyList<(string Function, string Arguments)> Calls => [("calculator", """{"expression":"1 + 2"}"""), ("calculator", """{"expression":"max(2, 3)^2"}""")];
}

public class ClockToolConformance : ToolConformance
{
    public override string Id => "tool.clock";

    protected override IReadOnlyList<(string Function, string Arguments)> Calls => [("clock", "{}")];
}

public class FilesToolConformance : ToolConformance
{
    public override string Id => "tool.files";

    protected override IReadOnlyList<(string Function, string Arguments)> Calls => [("list", "{}"), ("read", """{"path":"sample.json"}""")];
}

public class HttpToolConformance : ToolConformance
{
    public override string Id => "tool.http";

    protected override IReadOnlyList<(string Function, string Arguments)> Calls => [("http", """{"url":"https://docs.example/start"}""")];
}

public class RetrieveToolConformance : ToolConformance
{
    public override string Id => "tool.retrieve";

    protected override IReadOnlyList<(string Function, string Arguments)> Calls => [("retrieve", """{"query":"boats"}"""), ("retrieve", """{"query":"boats","count":1}""")];
}

public class WebSearchToolConformance : ToolConformance
{
    public override string Id => "tool.web-search";

    protected override IReadOnlyList<(string Function, string Arguments)> Calls => [("web-search", """{"query":"a page"}""")];
}

public class WasmToolConformance : ToolConformance
{
    public override string Id => "tool.wasm";

    protected override IReadOnlyList<(string Function, string Arguments)> Calls => [("add", """{"a":1,"b":2}""")];
}

public class SuiteTests
{
    [Fact]
    public void EveryPlugin_OfThisProject_HasItsSuite() => Assert.Empty(PluginUnderTest.WithoutSuite(typeof(SuiteTests).Assembly));
}
