using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using PluginHost.Runs.Decoding;

namespace PluginHost.Serving.Telemetry;

/// <summary>A chat client whose answers are measured.</summary>
internal sealed class MeasuredChat(IChatClient inner, ServingMeter meter, string operation, string model) : DelegatingChatClient(inner)
{
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var measure = meter.Begin(operation, model);
        await using var updates = base.GetStreamingResponseAsync(messages, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await updates.MoveNextAsync()) yield break;
            }
            catch (Exception error)
            {
                measure.Fail(error);
                throw;
            }
            if (updates.Current is { Text.Length: > 0 } or { RawRepresentation: DecodedPiece }) measure.Token();
            if (updates.Current.Contents.OfType<UsageContent>().FirstOrDefault() is { } used) measure.End(used.Details.InputTokenCount ?? 0, used.Details.OutputTokenCount ?? 0);
            yield return updates.Current;
        }
    }
}
