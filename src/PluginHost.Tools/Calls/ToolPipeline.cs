using System.Text.Json;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;
using PluginHost.Tools.Registry;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace PluginHost.Tools.Calls;

/// <summary>
/// Calls a function within its limits. The circuit breaker stands outside, so that it counts calls and not attempts; then the deadline, which no function can outlast however little it listens; then repetitions.
/// </summary>
internal sealed class ToolPipeline(AIFunction function, bool writes, ToolLimits limits)
{
    private static readonly TimeSpan Sampling = TimeSpan.FromSeconds(30);

    private readonly ResiliencePipeline pipeline = Build(writes, limits);
    private int running;

    /// <summary>The function's result.</summary>
    public async Task<object?> CallAsync(JsonElement arguments, CancellationToken cancellation) =>
        await pipeline.ExecuteAsync(async token => await OnceAsync(arguments, token).ConfigureAwait(false), cancellation).ConfigureAwait(false);

    private async Task<object?> OnceAsync(JsonElement arguments, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref running) > limits.Concurrent)
        {
            Interlocked.Decrement(ref running);
            throw new ToolBusyException();
        }
        var given = new AIFunctionArguments();
        foreach (var member in arguments.EnumerateObject()) given[member.Name] = member.Value.Clone();
        // On a thread of its own: a function may hold the one that calls it, and a deadline is one for it too.
        var call = Task.Run(async () =>
        {
            try
            {
                return await function.InvokeAsync(given, cancellation).ConfigureAwait(false);
            }
            finally
            {
                Interlocked.Decrement(ref running);
            }
        }, CancellationToken.None);
        try
        {
            return await call.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!call.IsCompleted)
        {
            _ = call.ContinueWith(left => left.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default); // nobody else will look at it
            throw;
        }
    }

    private static ResiliencePipeline Build(bool writes, ToolLimits limits)
    {
        var builder = new ResiliencePipelineBuilder()
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = Math.Max(2, limits.RestAfter),
                SamplingDuration = Sampling,
                BreakDuration = limits.Rest,
                ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is { } error and not (OperationCanceledException or UserErrorException or ToolBusyException)),
            })
            .AddTimeout(limits.Deadline);
        if (!writes && limits.Retries > 0)
            builder.AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = limits.Retries,
                Delay = limits.RetryDelay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is ToolFailedException { Transient: true } or HttpRequestException or IOException),
            });
        return builder.Build();
    }
}

/// <summary>As many calls as may be are under way.</summary>
internal sealed class ToolBusyException() : Exception("the tool has as many calls as it may; try again in a moment");
