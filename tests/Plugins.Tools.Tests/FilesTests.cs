using PluginHost.Sdk;
using Tool.Files;

namespace Plugins.Tools.Tests;

public sealed class FilesTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("files").FullName;

    public FilesTests()
    {
        Directory.CreateDirectory(Path.Combine(root, "open", "notes"));
        File.WriteAllText(Path.Combine(root, "open", "notes", "plan.md"), "0123456789");
        File.WriteAllText(Path.Combine(root, "secret.txt"), "secret");
        File.WriteAllBytes(Path.Combine(root, "open", "picture.png"), [137, 80, 0, 1]);
    }

    public void Dispose() => Directory.Delete(root, true);

    private IReadOnlyList<ToolFunction> Tools => ToolCalls.Open(new FilesTool(new FilesOptions("open", MaxBytes: 4)), root);

    [Fact]
    public async Task List_AFolder_NamesItsEntries()
    {
        Assert.Equal("""{"entries":[{"name":"notes/"},{"name":"picture.png","bytes":4}],"more":false}""", await Tools.CallAsync("list", new { path = "." }));
        Assert.Equal("""{"entries":[{"name":"plan.md","bytes":10}],"more":false}""", await Tools.CallAsync("list", new { path = "notes" }));
    }

    [Fact]
    public async Task Read_AFile_GivesAPartAndWhereToGoOn()
    {
        Assert.Equal("0123\n[6 more bytes from offset 4]", await Tools.CallAsync("read", new { path = "notes/plan.md", offset = 0 }));
        Assert.Equal("89", await Tools.CallAsync("read", new { path = "notes/../notes/plan.md", offset = 8 }));
    }

    [Theory]
    [InlineData("../secret.txt")]
    [InlineData("notes/../../secret.txt")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    public async Task Read_OutOfTheFolder_IsRefused(string path) => await RefusedAsync("read", path, "leads out of the folder");

    [SkippableFact]
    public async Task Read_ThroughALinkOut_IsRefused()
    {
        Skip.If(OperatingSystem.IsWindows(), "links need a privilege there");
        File.CreateSymbolicLink(Path.Combine(root, "open", "file"), Path.Combine(root, "secret.txt"));
        Directory.CreateSymbolicLink(Path.Combine(root, "open", "up"), "..");
        Directory.CreateSymbolicLink(Path.Combine(root, "open", "round"), "round");
        await RefusedAsync("read", "file", "leads out of the folder");
        await RefusedAsync("read", "up/secret.txt", "leads out of the folder");
        await RefusedAsync("list", "up", "leads out of the folder");
        await RefusedAsync("list", "round", "too many links");
    }

    [Fact]
    public async Task Read_WhatIsNoTextOrNotThere_IsRefused()
    {
        await RefusedAsync("read", "picture.png", "no text file");
        await RefusedAsync("read", "notes/plans.md", "no file");
        await RefusedAsync("list", "note", "no folder");
    }

    [Fact]
    public void Open_WithoutARoot_SaysWhatIsMissing()
    {
        Assert.Contains("'root'", Assert.Throws<UserErrorException>(() => ToolCalls.Open(new FilesTool(new FilesOptions()))).Message, StringComparison.Ordinal);
        Assert.Contains("no folder", Assert.Throws<UserErrorException>(() => ToolCalls.Open(new FilesTool(new FilesOptions("nowhere")), root)).Message, StringComparison.Ordinal);
    }

    private async Task RefusedAsync(string function, string path, string why) =>
        Assert.Contains(why, (await Assert.ThrowsAsync<UserErrorException>(() => Tools.CallAsync(function, new { path }))).Message, StringComparison.Ordinal);
}
