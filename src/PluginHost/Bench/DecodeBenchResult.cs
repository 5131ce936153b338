using System.Text.Json.Nodes;
using PluginHost.Commands;

namespace PluginHost.Bench;

/// <summary>What <c>pluginhost bench decode</c> found; on the most threads last.</summary>
/// <param name="WeightBytes">What a step reads.</param>
internal sealed record DecodeBenchResult(string Project, long WeightBytes, IReadOnlyList<DecodeFigures> Threads)
{
    /// <summary>The report: figures of one thread, and of each number of threads.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["project"] = Project, ["weightMegabytes"] = Math.Round(WeightBytes / 1e6, 2) };
        foreach (var (name, value) in Json(Threads[0])) json[name] = value?.DeepClone();
        json["threads"] = new JsonArray([.. Threads.Select(Json)]);
        return json;
    }

    public void Write(TextWriter output)
    {
        output.WriteLine();
        var table = new TextTable(["", .. Threads.Select(item => $"{item.Threads} thread{(item.Threads > 1 ? "s" : "")}")]);
        void Row(string name, Func<DecodeFigures, string> cell) => table.Add([name, .. Threads.Select(cell)]);
        Row("reading memory, GB/s", item => FigureText.Number(item.Bandwidth / 1e9));
        Row("1 sequence, tokens/s", item => $"{FigureText.Number(item.Packed[0])} ({FigureText.Share(item.BandwidthFraction(WeightBytes))} of what memory gives)");
        Row("8 sequences, tokens/s", item => $"{FigureText.Number(item.Packed[1])} ({FigureText.Times(item.Ratios[1])})");
        Row("16 sequences, tokens/s", item => $"{FigureText.Number(item.Packed[2])} ({FigureText.Times(item.Ratios[2])})");
        Row("libtorch, 1 sequence, tokens/s", item => FigureText.Number(item.Torch));
        table.Write(output);
    }

    private JsonObject Json(DecodeFigures item) => new()
    {
        ["threadCount"] = item.Threads,
        ["bandwidthGigabytesPerSecond"] = Math.Round(item.Bandwidth / 1e9, 2),
        ["bandwidthFraction"] = Math.Round(item.BandwidthFraction(WeightBytes), 4),
        ["singleTokensPerSecond"] = Math.Round(item.Packed[0], 1),
        ["eightTokensPerSecond"] = Math.Round(item.Packed[1], 1),
        ["sixteenTokensPerSecond"] = Math.Round(item.Packed[2], 1),
        ["eightRatio"] = Math.Round(item.Ratios[1], 3),
        ["sixteenRatio"] = Math.Round(item.Ratios[2], 3),
        ["torchSingleTokensPerSecond"] = Math.Round(item.Torch, 1),
    };
}

/// <summary>Medians over the rounds on some number of threads.</summary>
/// <param name="Bandwidth">Bytes a second that are read from memory.</param>
/// <param name="Torch">Tokens a second by libtorch.</param>
/// <param name="Packed">Tokens a second of 1, 8 and 16 sequences.</param>
/// <param name="TokensPerByte">Of one sequence: tokens a second by bytes a second.</param>
/// <param name="Ratios">Against one sequence.</param>
internal sealed record DecodeFigures(int Threads, double Bandwidth, double Torch, IReadOnlyList<double> Packed, double TokensPerByte, IReadOnlyList<double> Ratios)
{
    /// <summary>What part of the bandwidth one sequence uses.</summary>
    public double BandwidthFraction(long weightBytes) => TokensPerByte * weightBytes;
}
