using System.Net;
using System.Text;

namespace PluginHost.Catalog.Tests.Install;

/// <summary>A NuGet v3 feed over a folder of packages.</summary>
internal sealed class FeedServer : IDisposable
{
    private readonly HttpListener listener = new();
    private readonly string folder;
    private readonly FeedServer? content;

    public FeedServer(string folder, FeedServer? content = null)
    {
        (this.folder, this.content) = (folder, content);
        using (var free = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Port = ((IPEndPoint)free.LocalEndpoint).Port;
        }
        listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
        listener.Start();
        _ = Task.Run(Serve);
    }

    public int Port { get; }

    public int Requests { get; private set; }

    public string Index => $"http://127.0.0.1:{Port}/index.json";

    public void Dispose() => listener.Close();

    private async Task Serve()
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            Requests++;
            var answer = Answer(context.Request.Url!.AbsolutePath);
            if (answer is null) context.Response.StatusCode = 404;
            else await context.Response.OutputStream.WriteAsync(answer);
            context.Response.Close();
        }
    }

    private byte[]? Answer(string path)
    {
        if (path == "/index.json")
            return Encoding.UTF8.GetBytes($$"""{ "version": "3.0.0", "resources": [ { "@id": "http://127.0.0.1:{{(content ?? this).Port}}/flat/", "@type": "PackageBaseAddress/3.0.0" } ] }""");
        var parts = path.Split('/');
        var files = Directory.EnumerateFiles(folder, "*.nupkg").ToDictionary(file => Path.GetFileName(file).ToLowerInvariant());
        if (parts is ["", "flat", var id, "index.json"])
        {
            var versions = files.Keys.Where(name => name.StartsWith(id + ".", StringComparison.Ordinal)).Select(name => name[(id.Length + 1)..^".nupkg".Length]).ToList();
            return versions.Count == 0 ? null : Encoding.UTF8.GetBytes($$"""{ "versions": [{{string.Join(',', versions.Select(version => $"\"{version}\""))}}] }""");
        }
        return parts is ["", "flat", _, _, var file] && files.TryGetValue(file, out var found) ? File.ReadAllBytes(found) : null;
    }
}
