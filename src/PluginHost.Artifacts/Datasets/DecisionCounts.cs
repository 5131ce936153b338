using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace PluginHost.Artifacts.Datasets;

/// <summary>How many samples each filter saw, kept and dropped, and for which reasons.</summary>
public static partial class DecisionCounts
{
    private const int MostReasons = 50;

    /// <summary>Counts the lines of a <c>decisions.jsonl</c>, by round and filter.</summary>
    public static JsonArray Of(string decisions)
    {
        var rows = File.ReadLines(decisions).Select(line => JsonNode.Parse(line)!).ToArray();
        return new JsonArray([.. rows.GroupBy(row => ((int)row["round"]!, (string)row["filter"]!)).Select(group => new JsonObject
        {
            ["round"] = group.Key.Item1,
            ["filter"] = group.Key.Item2,
            ["kept"] = group.Count(row => (bool)row["keep"]!),
            ["dropped"] = group.Count(row => !(bool)row["keep"]!),
            ["reasons"] = new JsonObject(group.Where(row => !(bool)row["keep"]!).GroupBy(row => Kind((string)row["reason"]!))
                .OrderByDescending(reason => reason.Count()).ThenBy(reason => reason.Key, StringComparer.Ordinal).Take(MostReasons)
                .Select(reason => KeyValuePair.Create(reason.Key, (JsonNode?)reason.Count()))),
        })]);
    }

    /// <summary>A reason without what differs from sample to sample: quoted names, paths and numbers.</summary>
    public static string Kind(string reason) => Number().Replace(Quoted().Replace(reason, "…"), "…");

    [GeneratedRegex("'[^']*'|(?<![\\w.])/\\S+")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"-?\d+([.,]\d+)*(x\d+)?")]
    private static partial Regex Number();
}
