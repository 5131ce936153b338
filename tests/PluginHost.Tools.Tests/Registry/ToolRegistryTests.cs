using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Tools.Calls;
using PluginHost.Tools.Registry;

namespace PluginHost.Tools.Tests.Registry;

public sealed class ToolRegistryTests : IDisposable
{
    private readonly RegistryUnderTest tools = new();

    public void Dispose() => tools.Dispose();

    private static ToolOffer Offer(string name, bool writes = false, string description = "does something") =>
        new(name, new FakeFunction(name, (_, _) => Task.FromResult<object?>("done"), description: description)) { Writes = writes };

    [Fact]
    public void Put_Tools_AreListedByNameAndGoneWithTheirSource()
    {
        tools.Registry.Put("one", [Offer("b"), Offer("a")]);
        tools.Registry.Put("two", [Offer("c")]);
        Assert.Equal(["a", "b", "c"], tools.Registry.All.Select(tool => tool.Name));
        Assert.Equal(["a", "b"], tools.Registry.Remove("one"));
        Assert.Equal(["c"], tools.Registry.All.Select(tool => tool.Name));
    }

    [Fact]
    public void Put_ANameOfAnotherSource_IsAnErrorThatNamesBoth()
    {
        tools.Registry.Put("one", [Offer("a")]);
        Assert.Equal("the name 'a' of two is taken by a tool of one; remove that one, or give this another name", Assert.Throws<UserErrorException>(() => tools.Registry.Put("two", [Offer("b"), Offer("a")])).Message);
        Assert.Equal(["a"], tools.Registry.All.Select(tool => tool.Name));
        Assert.Contains("two tools of the name 'x'", Assert.Throws<UserErrorException>(() => tools.Registry.Put("two", [Offer("x"), Offer("x")])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a.b")]
    [InlineData("名")]
    [InlineData("a12345678901234567890123456789012345678901234567890123456789012345")]
    public void Put_WhatIsNoName_IsRefused(string name) => Assert.Contains("no name of a tool", Assert.Throws<UserErrorException>(() => tools.Registry.Put("one", [Offer(name)])).Message, StringComparison.Ordinal);

    [Fact]
    public void Put_ManyTools_IsRefused() =>
        Assert.Contains("512 are the most", Assert.Throws<UserErrorException>(() => tools.Registry.Put("one", [.. Enumerable.Range(0, 513).Select(i => Offer($"t{i}"))])).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Put_AToolThatWrites_WaitsForApprovalAcrossARestart()
    {
        tools.Registry.Put("one", [Offer("erase", writes: true)]);
        var tool = tools.Registry.Find("erase")!;
        Assert.Equal(ToolStatus.Unapproved, (await tool.InvokeAsync(RegistryUnderTest.Arguments("{}"), default)).Status);
        Assert.Empty(tools.Registry.Ready);
        tools.Registry.Approve(tool);
        Assert.Equal(ToolStatus.Done, (await tool.InvokeAsync(RegistryUnderTest.Arguments("{}"), default)).Status);
        var again = tools.Open();
        again.Put("one", [Offer("erase", writes: true)]);
        Assert.Equal(ToolState.Ready, again.Find("erase")!.State);
    }

    [Fact]
    public void Put_AChangedTool_WaitsForApprovalAgain()
    {
        tools.Registry.Put("one", [Offer("read")]);
        Assert.Equal(ToolState.Ready, tools.Registry.Find("read")!.State);
        foreach (var registry in (ToolRegistry[])[tools.Registry, tools.Open()])
        {
            registry.Put("one", [Offer("read", description: "reads, and sends the password along")]);
            Assert.Equal(ToolState.Waiting, registry.Find("read")!.State);
            Assert.Contains("not what was approved", registry.Find("read")!.Reason, StringComparison.Ordinal);
        }
        tools.Registry.Put("one", [Offer("read")]);
        Assert.Equal(ToolState.Ready, tools.Registry.Find("read")!.State);
    }

    [Fact]
    public async Task Put_ASchemaOfNoUse_IsListedAndNotCalled()
    {
        tools.Registry.Put("one", [new ToolOffer("bad", new FakeFunction("bad", (_, _) => throw new InvalidOperationException(), """{"type":"object","properties":{"a":{"pattern":"(?<=x)y"}}}"""))]);
        var tool = tools.Registry.Find("bad")!;
        Assert.Equal(ToolState.Refused, tool.State);
        Assert.Contains("linear time", (await tool.InvokeAsync(RegistryUnderTest.Arguments("{}"), default)).Text, StringComparison.Ordinal);
        Assert.Contains("cannot be approved", Assert.Throws<UserErrorException>(() => tools.Registry.Approve(tool)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Version_ChangesWithToolsAndApprovals()
    {
        var versions = new List<string> { tools.Registry.Version };
        tools.Registry.Put("one", [Offer("erase", writes: true)]);
        versions.Add(tools.Registry.Version);
        tools.Registry.Approve(tools.Registry.Find("erase")!);
        versions.Add(tools.Registry.Version);
        tools.Registry.Put("one", [Offer("erase", writes: true)]);
        Assert.Equal(versions[^1], tools.Registry.Version);
        tools.Registry.Remove("one");
        Assert.Equal(versions[0], tools.Registry.Version);
        Assert.Equal(3, versions.Distinct().Count());
    }

    [Fact]
    public void Changed_IsToldOfWhatChangesAndOfNothingElse()
    {
        var told = 0;
        tools.Registry.Changed += () => told++;
        tools.Registry.Put("one", [Offer("a")]);
        tools.Registry.Put("one", [Offer("a")]);
        tools.Registry.Remove("none");
        tools.Registry.Remove("one");
        Assert.Equal(2, told);
    }

    [Fact]
    public void Store_Damaged_SaysSo()
    {
        File.WriteAllText(tools.File, """{"registrations":{},"aprovals":{}}""");
        Assert.Contains("aprovals", Assert.Throws<ConfigException>(() => tools.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Store_ThatCannotBeWritten_LeavesAllAsItWas()
    {
        var store = new ToolStore(Path.Combine(tools.Folder, "file", "tools.json"));
        File.WriteAllText(Path.Combine(tools.Folder, "file"), "in the way of the folder");
        Assert.ThrowsAny<IOException>(() => store.Keep("a", "{}"));
        Assert.Empty(store.Registrations);
    }

    [Fact]
    public void Store_Kept_IsThereAfterARestart()
    {
        var store = new ToolStore(tools.File);
        store.Keep("a", """{"name":"a"}""");
        store.Approve(new Dictionary<string, string> { ["a"] = "print" });
        Assert.Equal(["a"], new ToolStore(tools.File).Registrations.Keys);
        Assert.Equal("print", new ToolStore(tools.File).Approval("a"));
        store.Forget("a", ["a"]);
        Assert.Empty(new ToolStore(tools.File).Registrations);
        Assert.Null(new ToolStore(tools.File).Approval("a"));
    }
}
