using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Serving.Keys;

namespace PluginHost.Serving.Tests.Keys;

public sealed class ApiKeysTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("keys").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    private string File => Path.Combine(folder, "sub", "keys.json");

    [Fact]
    public void Create_Key_IsFoundByItsSecretAndStoredAsAHash()
    {
        var keys = new ApiKeys(File);
        var secret = keys.Create("anna", admin: true);

        Assert.Equal(("anna", true), (keys.Find(secret)!.Name, keys.Find(secret)!.Admin));
        Assert.Null(keys.Find(secret + "x"));
        Assert.Null(keys.Find(""));
        Assert.DoesNotContain(secret, System.IO.File.ReadAllText(File), StringComparison.Ordinal);
        Assert.Equal("anna", new ApiKeys(File).Find(secret)!.Name);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
    }

    [Fact]
    public void Revoke_Key_IsGoneAfterReload()
    {
        var running = new ApiKeys(File);
        var secret = new ApiKeys(File).Create("anna", admin: false);
        running.Reload();
        Assert.NotNull(running.Find(secret));

        new ApiKeys(File).Revoke("anna");
        running.Reload();

        Assert.Null(running.Find(secret));
    }

    [Fact]
    public void Create_NameTwice_IsRefused()
    {
        var keys = new ApiKeys(File);
        keys.Create("anna", admin: false);

        Assert.Contains("there is a key 'anna' already", Assert.Throws<UserErrorException>(() => keys.Create("anna", admin: false)).Message, StringComparison.Ordinal);
        Assert.Contains("did you mean 'anna'?", Assert.Throws<UserErrorException>(() => keys.Revoke("ana")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("""{"keys":[{"name":"a","sha256":"xyz"}]}""")]
    [InlineData("""{"keys":[{"sha256":"00"}]}""")]
    public void Reload_DamagedFile_KeepsTheKeysAndSaysWhere(string text)
    {
        var keys = new ApiKeys(File);
        var secret = keys.Create("anna", admin: false);
        System.IO.File.WriteAllText(File, text);

        Assert.Contains("keys.json(1,", Assert.Throws<ConfigException>(keys.Reload).Message, StringComparison.Ordinal);
        Assert.NotNull(keys.Find(secret));
    }
}
