using PluginHost.Sdk.Testing;
using Xunit;

namespace PluginKind.PluginName.Tests;

public class PluginNameConformance : PluginKindConformance
{
    public override string Id => "plugin-kind.plugin-name";
}

public class SuiteTests
{
    [Fact]
    public void EveryPlugin_OfThisProject_HasItsSuite() => Assert.Empty(PluginUnderTest.WithoutSuite(typeof(SuiteTests).Assembly));
}
