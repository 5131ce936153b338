using System.CommandLine;
using PluginHost.Config;
using PluginHost.Serving.Keys;

namespace PluginHost.Serve;

/// <summary><c>pluginhost serve</c> and <c>pluginhost keys</c>.</summary>
internal static class ServeCommandLine
{
    public static Command Serve(Option<string?> hostFile)
    {
        var items = new Argument<string[]>("items") { Description = "Runs (folder, name or 'latest') and project files, which stand for their newest finished run; none: the models of server.remotes alone", Arity = ArgumentArity.ZeroOrMore };
        var urls = new Option<string[]>("--urls") { Description = "Where to listen, in place of server.urls of the host file", AllowMultipleArgumentsPerToken = true, Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("serve", "Serves trained runs over HTTP as OpenAI's API does, until it is told to stop") { items, urls };
        command.SetAction((parsed, cancellation) =>
        {
            var host = HostFile.Read(parsed.GetValue(hostFile));
            if (parsed.GetValue(urls) is { Length: > 0 } chosen) host = host with { Server = host.Server with { Urls = chosen } };
            return new ServeCommand(parsed.GetValue(items)!, host, Console.Out).RunAsync(cancellation);
        });
        return command;
    }

    public static Command Keys(Option<string?> hostFile)
    {
        var name = new Argument<string>("name") { Description = "For whom the key is" };
        var admin = new Option<bool>("--admin") { Description = "It opens the admin routes too" };
        var create = new Command("create", "Makes a key and prints it; nobody can say it again") { name, admin };
        create.SetAction(parsed => Console.Out.WriteLine(Open(parsed.GetValue(hostFile)).Create(parsed.GetValue(name)!, parsed.GetValue(admin))));
        var list = new Command("list", "Lists the keys by name");
        list.SetAction(parsed =>
        {
            foreach (var key in Open(parsed.GetValue(hostFile)).All) Console.Out.WriteLine(key.Admin ? $"{key.Name} (admin)" : key.Name);
        });
        var revoke = new Command("revoke", "Takes a key out; a running server knows after SIGHUP or POST /admin/config/reload") { name };
        revoke.SetAction(parsed => Open(parsed.GetValue(hostFile)).Revoke(parsed.GetValue(name)!));
        return new Command("keys", "The keys that callers of 'pluginhost serve' show") { create, list, revoke };
    }

    private static ApiKeys Open(string? hostFile) => new(HostFile.Read(hostFile).Server.Keys);
}
