using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using PluginHost.Config;
using PluginHost.Sdk;
using PluginHost.Tools.Calls;

namespace PluginHost.Tools.Registry;

/// <summary>
/// The tools of a host, wherever they come from. A source puts its tools in and takes them out together; a name belongs to one of them. What was approved is remembered by its fingerprint: a tool that changes
/// waits until somebody has looked at it again. Safe for concurrent use.
/// </summary>
/// <param name="store">Remembers approvals.</param>
/// <param name="meter">Counts calls.</param>
/// <param name="limits">What calls are held to where a tool has no limits of its own.</param>
/// <param name="logger">For failures of tools.</param>
public sealed class ToolRegistry(ToolStore store, ToolMeter meter, ToolLimits limits, ILogger logger)
{
    /// <summary>Most tools at a time.</summary>
    public const int MostTools = 512;

    private const int MostName = 64;

    private readonly Lock gate = new();
    private volatile ImmutableSortedDictionary<string, RegisteredTool> tools = ImmutableSortedDictionary.Create<string, RegisteredTool>(StringComparer.Ordinal);

    /// <summary>After a change; handlers are called one after another, by whoever changed something.</summary>
    public event Action? Changed;

    /// <summary>All tools by name, those that may not be called included.</summary>
    public IReadOnlyList<RegisteredTool> All => [.. tools.Values];

    /// <summary>The tools that may be called, by name.</summary>
    public IReadOnlyList<RegisteredTool> Ready => [.. tools.Values.Where(tool => tool.State == ToolState.Ready)];

    /// <summary>The same as long as tools and their states are the same.</summary>
    public string Version => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', tools.Values.Select(tool => $"{tool.Fingerprint} {tool.State}")))))[..32];

    /// <summary>A tool; null: there is none of that name.</summary>
    public RegisteredTool? Find(string name) => tools.GetValueOrDefault(name);

    /// <summary>Puts a source's tools in, in place of those that it had.</summary>
    /// <param name="source">Its name.</param>
    /// <param name="offers">All of its tools.</param>
    /// <exception cref="UserErrorException">A name is no name, or is taken; nothing has changed.</exception>
    /// <exception cref="IOException">Approvals cannot be written; nothing has changed.</exception>
    public void Put(string source, IReadOnlyList<ToolOffer> offers)
    {
        lock (gate)
        {
            var before = Version;
            var others = tools.RemoveRange(tools.Values.Where(tool => tool.Source == source).Select(tool => tool.Name));
            Check(source, offers, others);
            var added = offers.Select(offer => Judged(source, offer)).ToList();
            store.Approve(added.Where(tool => tool.State == ToolState.Ready).ToDictionary(tool => tool.Name, tool => tool.Fingerprint));
            tools = others.AddRange(added.Select(tool => KeyValuePair.Create(tool.Name, tool)));
            if (Version == before) return;
        }
        Changed?.Invoke();
    }

    /// <summary>Takes a source's tools out; calls under way go on.</summary>
    /// <returns>Their names.</returns>
    public IReadOnlyList<string> Remove(string source)
    {
        List<string> names;
        lock (gate)
        {
            names = [.. tools.Values.Where(tool => tool.Source == source).Select(tool => tool.Name)];
            tools = tools.RemoveRange(names);
        }
        if (names.Count > 0) Changed?.Invoke();
        return names;
    }

    /// <summary>Lets a tool be called as it is now.</summary>
    /// <exception cref="UserErrorException">Its schema is of no use.</exception>
    /// <exception cref="IOException">The approval cannot be written; nothing has changed.</exception>
    public void Approve(RegisteredTool tool)
    {
        lock (gate)
        {
            if (tool.State == ToolState.Refused) throw new UserErrorException($"the tool '{tool.Name}' cannot be approved: {tool.Reason}");
            store.Approve(new Dictionary<string, string> { [tool.Name] = tool.Fingerprint });
            (tool.State, tool.Reason) = (ToolState.Ready, null);
        }
        Changed?.Invoke();
    }

    private static void Check(string source, IReadOnlyList<ToolOffer> offers, ImmutableSortedDictionary<string, RegisteredTool> others)
    {
        if (others.Count + offers.Count > MostTools) throw new UserErrorException($"{source} would bring the tools to {others.Count + offers.Count}; {MostTools} are the most");
        foreach (var offer in offers)
        {
            if (offer.Name.Length is 0 or > MostName || !offer.Name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-'))
                throw new UserErrorException($"'{(offer.Name.Length > MostName ? offer.Name[..MostName] + "…" : offer.Name)}' of {source} is no name of a tool: letters, digits, _ and -, {MostName} at most");
            if (others.TryGetValue(offer.Name, out var taken)) throw new UserErrorException($"the name '{offer.Name}' of {source} is taken by a tool of {taken.Source}; remove that one, or give this another name");
            if (offers.Count(other => other.Name == offer.Name) > 1) throw new UserErrorException($"{source} has two tools of the name '{offer.Name}'");
        }
    }

    private RegisteredTool Judged(string source, ToolOffer offer)
    {
        var tool = new RegisteredTool(source, offer, offer.Limits ?? limits, meter, logger);
        if (tool.State == ToolState.Refused || offer.Approved) return tool;
        var approved = store.Approval(tool.Name);
        if (approved is null ? !tool.Writes : approved == tool.Fingerprint) return tool;
        tool.Reason = approved is null
            ? $"it writes, and waits for approval: POST /v1/tools/{tool.Name}/approve"
            : $"it is not what was approved, and waits for approval as it is now: POST /v1/tools/{tool.Name}/approve";
        tool.State = ToolState.Waiting;
        return tool;
    }
}
