using PluginHost.Catalog;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>
/// Runs the micro-batches of a step, several at once. Small operators do not fill the cores by themselves: two threads that
/// each compute a micro-batch of their own do more than two that share the operators of one. Every micro-batch gets the same share of
/// the cores however many run, so that its numbers do not depend on that. A graph that draws random numbers (dropout) runs them one
/// after the other instead: in which order threads draw would change from run to run.
/// </summary>
/// <param name="parallel">How many run at once.</param>
internal sealed class MicroBatches(int parallel)
{
    private bool? drawsRandomNumbers;

    /// <summary>The results, in the order of the items.</summary>
    /// <remarks>What throws is thrown once all that run beside it have ended.</remarks>
    public TResult[] Run<TItem, TResult>(IReadOnlyList<TItem> items, Func<TItem, TResult> run)
    {
        if (parallel == 1) return [.. items.Select(run)];
        var results = new TResult[items.Count];
        var threads = get_num_threads();
        var share = Math.Max(1, threads / parallel);
        using var before = drawsRandomNumbers is null ? get_rng_state() : null;
        try
        {
            foreach (var wave in Enumerable.Range(0, items.Count).Chunk(drawsRandomNumbers is false ? parallel : 1))
                Together([.. wave.Select(i => (Action)(() =>
                {
                    set_num_threads(share);
                    results[i] = run(items[i]);
                }))]);
        }
        finally
        {
            set_num_threads(threads);
        }
        if (before is null) return results;
        using var scope = NewDisposeScope();
        drawsRandomNumbers = !before.eq(get_rng_state()).all().ToBoolean();
        return results;
    }

    // Threads of their own, not the pool's: the share of the cores is a setting of the thread.
    private static void Together(Action[] actions) =>
        Task.WhenAll(actions.Select(action => PluginThreads.Run("micro-batch", action))).GetAwaiter().GetResult();
}
