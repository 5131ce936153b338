using System.CommandLine;
using Microsoft.Extensions.Logging;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Retrieve;

/// <summary>The command line of <c>pluginhost retrieve</c>.</summary>
internal static class RetrieveCommandLine
{
    public static Command Build(Option<string?> hostFile, Option<bool> json, ILoggerFactory loggers)
    {
        var file = new Argument<string>("file") { Description = "A retrieval file" };
        var report = new Option<string?>("--report") { Description = "Also writes the figures, or what was found, here as JSON" };
        RetrieveCommand Command(ParseResult parsed, CancellationToken cancellation) => new(
            parsed.GetValue(file)!, HostFile.Read(parsed.GetValue(hostFile)), parsed.GetValue(hostFile), loggers, parsed.GetValue(json), parsed.GetValue(report), Console.Out, cancellation);
        return new Command("retrieve", "Finds passages of documents by words and by trained towers")
        {
            Making(file, json, report, Command), Searching(file, json, report, Command), Rating(file, json, report, Command),
        };
    }

    private static Command Making(Argument<string> file, Option<bool> json, Option<string?> report, Func<ParseResult, CancellationToken, RetrieveCommand> make)
    {
        var again = new Option<bool>("--train") { Description = "Mines negatives and trains the towers even if they are trained" };
        var command = new Command("build", "Mines hard negatives, trains the towers if they are not trained, and brings the index up to date") { file, again, report, json };
        command.SetAction((parsed, cancellation) => Task.FromResult(make(parsed, cancellation).Build(parsed.GetValue(again))));
        return command;
    }

    private static Command Searching(Argument<string> file, Option<bool> json, Option<string?> report, Func<ParseResult, CancellationToken, RetrieveCommand> make)
    {
        var query = new Argument<string?>("query") { Description = "What is looked for", Arity = ArgumentArity.ZeroOrOne };
        var image = new Option<string?>("--image") { Description = "A picture instead of a query, where the towers read pictures" };
        var count = new Option<int>("--top-k") { Description = "Passages at most", DefaultValueFactory = _ => 5 };
        var filters = new Option<string[]>("--filter") { Description = "Only documents with this attribute: type=pdf", AllowMultipleArgumentsPerToken = false, Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("search", "Prints the best passages, each with its document and place") { file, query, image, count, filters, report, json };
        command.SetAction((parsed, cancellation) =>
        {
            var (most, filter) = (parsed.GetValue(count), Filter(parsed.GetValue(filters) ?? []));
            if (most < 0) throw new UserErrorException($"--top-k {most}: 0 or more is needed.");
            return Task.FromResult((parsed.GetValue(query), parsed.GetValue(image)) switch
            {
                ({ } words, null) => make(parsed, cancellation).Search(words, most, filter),
                (null, { } picture) => make(parsed, cancellation).SearchByPicture(picture, most, filter),
                _ => throw new UserErrorException("a query is needed, or a picture (--image), and not both"),
            });
        });
        return command;
    }

    private static Command Rating(Argument<string> file, Option<bool> json, Option<string?> report, Func<ParseResult, CancellationToken, RetrieveCommand> make)
    {
        var command = new Command("evaluate", "Rates searches by words, by vectors and by both over queries that were not trained with") { file, report, json };
        command.SetAction((parsed, cancellation) => Task.FromResult(make(parsed, cancellation).Evaluate()));
        return command;
    }

    private static Dictionary<string, string> Filter(IEnumerable<string> pairs)
    {
        var filter = new Dictionary<string, string>();
        foreach (var pair in pairs)
            if (pair.Split('=', 2) is not [{ Length: > 0 } name, var value]) throw new UserErrorException($"--filter {pair}: an attribute and its value are needed, as in type=pdf");
            else filter[name] = value;
        return filter;
    }
}
