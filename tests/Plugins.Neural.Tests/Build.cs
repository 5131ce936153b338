using Microsoft.Extensions.Logging.Abstractions;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

/// <summary>Builds plugins and batches without a host.</summary>
internal static class Build
{
    public static BuildContext Context(Dictionary<string, long>? dimensions = null, params SolvedPort[] inputs) => new()
    {
        Device = CPU,
        Logger = NullLogger.Instance,
        ContentFolder = "",
        Dimensions = dimensions ?? [],
        Inputs = inputs,
    };

    /// <summary>Builds under a fixed seed, in evaluation mode.</summary>
    public static T Node<T>(INodePlugin plugin, Dictionary<string, long> dimensions, params SolvedPort[] inputs) where T : IGraphNode
    {
        manual_seed(7);
        var node = (T)plugin.Build(Context(dimensions, inputs));
        ((nn.Module)(object)node).eval();
        return node;
    }

    public static SolvedPort Port(string name, long width) => new(name, $"{name}.tokens", [null, null, width]);

    /// <summary>Text of the given ids; rows may hold segments and end in padding (id -1).</summary>
    public static TextBatch Text(long[,] ids, long[,]? segments = null)
    {
        var (rows, columns) = (ids.GetLength(0), ids.GetLength(1));
        var (positions, owners) = (new long[rows, columns], new long[rows, columns]);
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
            {
                owners[row, column] = ids[row, column] < 0 ? 0 : segments?[row, column] ?? 1;
                var continues = column > 0 && owners[row, column] == owners[row, column - 1];
                positions[row, column] = continues ? positions[row, column - 1] + 1 : 0;
            }
        var given = from_array(ids);
        var mask = given.ge(0);
        var targets = full_like(given, TextBatch.Ignore);
        return new TextBatch(given.clamp_min(0), mask, from_array(owners), from_array(positions), targets, zeros(rows, columns))
        {
            Packed = segments is not null,
            Padded = !mask.all().item<bool>(),
        };
    }

    /// <summary>Tokens [rows, count, width] of which the masked ones are absent.</summary>
    public static Masked Tokens(int seed, long rows, long count, long width, Tensor? mask = null)
    {
        manual_seed(seed);
        return new Masked(randn(rows, count, width), mask ?? ones(rows, count, dtype: ScalarType.Bool));
    }

    /// <summary>Largest absolute difference.</summary>
    public static float Distance(Tensor left, Tensor right) => (left - right).abs().max().item<float>();

    public static bool Finite(Tensor x) => x.isfinite().all().item<bool>();
}
