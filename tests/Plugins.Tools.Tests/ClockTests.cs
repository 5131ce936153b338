using Microsoft.Extensions.Time.Testing;
using PluginHost.Sdk;
using Tool.Clock;

namespace Plugins.Tools.Tests;

public class ClockTests
{
    [Fact]
    public async Task Clock_InAZone_TellsItsTime() => Assert.Equal(
        """{"time":"2026-01-02T04:04:05\u002B01:00","day":"Friday","zone":"Europe/Berlin","unix":1767323045}""",
        await ToolCalls.Open(new ClockTool(), clock: new FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero))).CallAsync("clock", new { zone = "Europe/Berlin" }));

    [Fact]
    public async Task Clock_InNoZone_IsRefused() => Assert.Contains(
        "no time zone 'Atlantis'", (await Assert.ThrowsAsync<UserErrorException>(() => ToolCalls.Open(new ClockTool()).CallAsync("clock", new { zone = "Atlantis" }))).Message, StringComparison.Ordinal);
}
