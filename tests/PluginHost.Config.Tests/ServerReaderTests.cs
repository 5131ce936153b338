namespace PluginHost.Config.Tests;

public sealed class ServerReaderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pluginhost-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private ServerConfig Read(string json)
    {
        var path = Path.Combine(folder, "h.json");
        File.WriteAllText(path, $"{{ \"server\": {json} }}");
        return HostFile.Read(path).Server;
    }

    [Fact]
    public void Read_Settings_AreTaken()
    {
        var server = Read("""{ "urls": ["http://127.0.0.1:9000"], "retrieval": "{config}/r.json", "maxBodyMegabytes": 3, "stallTimeout": "5s", "requestsPerMinute": 90, "mediaHosts": ["pictures.example", "other.example:8443"] }""");

        Assert.Equal((3L << 20, TimeSpan.FromSeconds(5), 90), (server.MaxBodyBytes, server.StallTimeout, server.RequestsPerMinute));
        Assert.Equal(["http://127.0.0.1:9000"], server.Urls);
        Assert.Equal(Path.Combine(folder, "r.json"), server.Retrieval);
        Assert.Equal(["pictures.example", "other.example:8443"], server.MediaHosts);
    }

    [Theory]
    [InlineData("""{ "stallTimeout": "1s" }""", "$.server.stallTimeout: 'stallTimeout' is 2s at the least")]
    [InlineData("""{ "stallTimeout": "5" }""", "$.server.stallTimeout: 'stallTimeout' is a time with its unit")]
    [InlineData("""{ "mediaHosts": ["https://pictures.example"] }""", "$.server.mediaHosts[0]: 'https://pictures.example' is no host to fetch media from")]
    [InlineData("""{ "mediaHosts": ["a.example", "pictures.example/a"] }""", "$.server.mediaHosts[1]: 'pictures.example/a' is no host")]
    [InlineData("""{ "mediaHosts": ["a.example:99999"] }""", "is no host to fetch media from")]
    [InlineData("""{ "urls": ["127.0.0.1"] }""", "$.server.urls[0]: '127.0.0.1' is no address to listen at")]
    [InlineData("""{ "urls": ["https://127.0.0.1:1"] }""", "needs 'certificate'")]
    [InlineData("""{ "requestPerMinute": 1 }""", "did you mean 'requestsPerMinute'?")]
    public void Read_Mistake_SaysWhereAndWhatWouldDo(string json, string message) =>
        Assert.Contains(message, Assert.Throws<ConfigException>(() => Read(json)).Message, StringComparison.Ordinal);
}
