using System.CommandLine;
using PluginHost.Live;

namespace PluginHost.Commands;

/// <summary>The arguments of <c>pluginhost plugins</c>.</summary>
internal static class PluginsCommandLine
{
    public static Command Build(Option<string?> hostFile, Option<bool> json)
    {
        var list = new Command("list", "Lists the plugins and the installed packages, without running any plugin code") { json };
        var running = new Option<string?>("--run") { Description = "Asks the host of a run (folder, name or 'latest') what it holds: versions, calls, failures, memory, and what was not let go" };
        list.Options.Add(running);
        list.SetAction((parsed, cancellation) => parsed.GetValue(running) is { } run
            ? RunningHostCommand.AskAsync(parsed.GetValue(hostFile), run, new ControlRequest("list", null, null), cancellation)
            : Task.FromResult(PluginsCommand.List(parsed.GetValue(hostFile), parsed.GetValue(json), Console.Out)));

        var plugin = new Argument<string>("id") { Description = "A plugin's id, such as fusion.mid" };
        var inspect = new Command("inspect", "Shows a plugin's ports, settings, version and hash, without running its code") { plugin, json };
        inspect.SetAction(parsed => PluginsCommand.Inspect(parsed.GetValue(plugin)!, parsed.GetValue(hostFile), parsed.GetValue(json), Console.Out));

        var request = new Argument<string?>("package") { Description = "A package: Acme.Fusion, Acme.Fusion@1.2.0, Acme.Fusion@[1.2,2.0); without it, what the lock file names is restored", Arity = ArgumentArity.ZeroOrOne };
        var source = new Option<string?>("--source") { Description = "A feed of host.json by its name, or a folder of packages" };
        var install = new Command("install", "Installs a plugin package with what it needs") { request, source, json };
        install.SetAction((parsed, cancellation) => Packages(parsed).InstallAsync(parsed.GetValue(request), parsed.GetValue(source), cancellation));

        var some = new Argument<string?>("package") { Description = "A package's id; without it, every package", Arity = ArgumentArity.ZeroOrOne };
        var update = new Command("update", "Takes the newest version that the other packages accept") { some, json };
        update.SetAction((parsed, cancellation) => Packages(parsed).UpdateAsync(parsed.GetValue(some), cancellation));
        var rollback = new Command("rollback", "Makes the previous version of a package active again") { some, json };
        rollback.SetAction((parsed, cancellation) => Packages(parsed).RollbackAsync(parsed.GetValue(some), cancellation));

        var one = new Argument<string>("package") { Description = "A package's id" };
        var remove = new Command("remove", "Removes a package with all its versions") { one, json };
        remove.SetAction((parsed, cancellation) => Packages(parsed).RemoveAsync(parsed.GetValue(one)!, cancellation));

        var verify = new Command("verify", "Compares every installed file with the lock file") { json };
        verify.SetAction(parsed => Packages(parsed).Verify());

        var folder = new Option<string>("--out") { Description = "The folder to write into", Required = true };
        var docs = new Command("docs", "Writes a page for each plugin as Markdown and HTML, without running any plugin code") { folder };
        docs.SetAction(parsed => DocsCommand.Run(parsed.GetValue(folder)!, parsed.GetValue(hostFile), Console.Out));

        var kind = new Argument<string>("kind") { Description = "The plugin's kind, such as fusion" };
        var name = new Argument<string>("name") { Description = "Its name in Pascal case, such as CrossAttention" };
        var output = new Option<string?>("--output") { Description = "The folder to write to; default: one of the plugin's name" };
        var create = new Command("new", "Writes a new plugin's project with tests and a sample") { kind, name, output };
        create.SetAction(parsed => NewPluginCommand.Run(parsed.GetValue(kind)!, parsed.GetValue(name)!, parsed.GetValue(output), Console.Out));

        return new Command("plugins", "The installed plugins")
        {
            list, inspect, install, update, remove, rollback, verify, create, docs, SwapCommand.Create(hostFile),
            RunningHostCommand.Create(hostFile, "quarantine", "Takes a plugin of a running host out until it is restored"),
            RunningHostCommand.Create(hostFile, "restore", "Takes a plugin of a running host back out of quarantine"),
            RunningHostCommand.Create(hostFile, "drain", "Unloads a plugin of a running host once nobody uses it; the next use loads it again"),
        };

        PackagesCommand Packages(ParseResult parsed) => new(parsed.GetValue(hostFile), parsed.GetValue(json), Console.Out);
    }
}
