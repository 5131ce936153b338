using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;

namespace PluginHost.Serving.Http;

/// <summary>Several answers to one request, side by side.</summary>
internal static class Answers
{
    /// <summary>Asks as often as is wanted; each answer has a seed of its own, counted on from the request's.</summary>
    /// <returns>Updates with the index of their answer. The first failure ends all.</returns>
    public static IAsyncEnumerable<(int Index, ChatResponseUpdate Update)> Ask(IChatClient chat, IReadOnlyList<(IEnumerable<ChatMessage> Messages, ChatOptions Options)> requests, CancellationToken cancellation) =>
        requests.Count == 1 ? One(chat, requests[0], cancellation) : Many(chat, requests, cancellation);

    /// <summary>Options of several answers to one question.</summary>
    public static IEnumerable<ChatOptions> Seeded(ChatOptions options, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var own = options.Clone();
            if (own.Seed is { } seed) own.Seed = unchecked(seed + i);
            yield return own;
        }
    }

    private static async IAsyncEnumerable<(int, ChatResponseUpdate)> One(IChatClient chat, (IEnumerable<ChatMessage> Messages, ChatOptions Options) request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var update in chat.GetStreamingResponseAsync(request.Messages, request.Options, cancellation)) yield return (0, update);
    }

    private static async IAsyncEnumerable<(int, ChatResponseUpdate)> Many(IChatClient chat, IReadOnlyList<(IEnumerable<ChatMessage> Messages, ChatOptions Options)> requests, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var updates = Channel.CreateUnbounded<(int, ChatResponseUpdate)>(new UnboundedChannelOptions { SingleReader = true });
        var all = Task.WhenAll(requests.Select(Pump));
        // An answer that was stopped has not come to its end, whoever stopped it.
        _ = all.ContinueWith(ended => updates.Writer.Complete(ended.IsCanceled ? new OperationCanceledException("an answer was stopped") : ended.Exception?.InnerExceptions[0]), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        try
        {
            await foreach (var update in updates.Reader.ReadAllAsync(cancellation)) yield return update;
        }
        finally
        {
            await leaving.CancelAsync();
        }

        async Task Pump((IEnumerable<ChatMessage> Messages, ChatOptions Options) request, int index)
        {
            try
            {
                await foreach (var update in chat.GetStreamingResponseAsync(request.Messages, request.Options, leaving.Token)) updates.Writer.TryWrite((index, update));
            }
            catch
            {
                await leaving.CancelAsync();
                throw;
            }
        }
    }
}
