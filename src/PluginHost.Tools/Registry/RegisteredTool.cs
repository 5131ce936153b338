using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using PluginHost.Catalog;
using PluginHost.Sdk;
using PluginHost.Tools.Calls;
using PluginHost.Tools.Schemas;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace PluginHost.Tools.Registry;

/// <summary>A tool of the registry. Calls may come from several threads at once.</summary>
public sealed class RegisteredTool
{
    private readonly ToolLimits limits;
    private readonly ToolPipeline pipeline;
    private readonly ToolSchema? schema;
    private readonly ToolMeter meter;
    private readonly ILogger logger;

    internal RegisteredTool(string source, ToolOffer offer, ToolLimits limits, ToolMeter meter, ILogger logger)
    {
        (Source, Name, Writes) = (source, offer.Name, offer.Writes);
        Description = offer.Function.Description;
        Parameters = offer.Function.JsonSchema.Clone();
        Fingerprint = Print(this);
        (this.limits, this.meter, this.logger) = (limits, meter, logger);
        pipeline = new ToolPipeline(offer.Function, offer.Writes, limits);
        try
        {
            schema = ToolSchema.Read(Parameters);
        }
        catch (UserErrorException error)
        {
            (State, Reason) = (ToolState.Refused, error.Message);
        }
    }

    /// <summary>The name that it is called by.</summary>
    public string Name { get; }

    /// <summary>Where it comes from: its plugin, registration or MCP server.</summary>
    public string Source { get; }

    /// <summary>What it does.</summary>
    public string Description { get; }

    /// <summary>The arguments' JSON Schema.</summary>
    public JsonElement Parameters { get; }

    /// <summary>Whether calls change something outside.</summary>
    public bool Writes { get; }

    /// <summary>Whether it may be called.</summary>
    public ToolState State { get; internal set; }

    /// <summary>Why it may not; null: it may.</summary>
    public string? Reason { get; internal set; }

    /// <summary>A hash of all that somebody approves: name, description, parameters, whether it writes.</summary>
    public string Fingerprint { get; }

    /// <summary>Calls it. Whatever goes wrong is an outcome.</summary>
    /// <param name="arguments">An object; what is missing and has a default is filled in.</param>
    /// <param name="cancellation">Whoever asked has left.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<ToolOutcome> InvokeAsync(JsonElement arguments, CancellationToken cancellation)
    {
        var began = Stopwatch.GetTimestamp();
        var outcome = await CallAsync(arguments, cancellation).ConfigureAwait(false) with { Duration = Stopwatch.GetElapsedTime(began) };
        meter.Record(Name, outcome);
        return outcome;
    }

    private async Task<ToolOutcome> CallAsync(JsonElement arguments, CancellationToken cancellation)
    {
        if (State != ToolState.Ready) return new ToolOutcome(ToolStatus.Unapproved, $"the tool '{Name}' cannot be called: {Reason}");
        JsonElement complete;
        try
        {
            complete = schema!.Complete(arguments);
        }
        catch (UserErrorException error)
        {
            return new ToolOutcome(ToolStatus.Invalid, $"arguments of '{Name}': {error.Message}");
        }
        try
        {
            var (text, cut) = ToolText.Of(await pipeline.CallAsync(complete, cancellation).ConfigureAwait(false), limits.MostCharacters);
            return new ToolOutcome(ToolStatus.Done, text) { Cut = cut };
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            return Failure(error);
        }
    }

    private ToolOutcome Failure(Exception error)
    {
        switch (error)
        {
            case UserErrorException: return new ToolOutcome(ToolStatus.Refused, error.Message);
            case ToolBusyException: return new ToolOutcome(ToolStatus.Unavailable, error.Message) { RetryAfter = TimeSpan.FromSeconds(1) };
            case BrokenCircuitException resting: return new ToolOutcome(ToolStatus.Unavailable, $"the tool '{Name}' has failed too often and rests") { RetryAfter = resting.RetryAfter ?? limits.Rest };
            case PluginQuarantinedException: return new ToolOutcome(ToolStatus.Unavailable, error.Message);
            case TimeoutRejectedException: return new ToolOutcome(ToolStatus.Late, $"the tool '{Name}' did not answer within {limits.Deadline.TotalSeconds:0.###} s");
            case ToolFailedException or PluginFailedException: return new ToolOutcome(ToolStatus.Failed, error.Message);
            default:
                // What others throw was not meant for callers.
                logger.LogError(error, "The tool {Tool} failed", Name);
                return new ToolOutcome(ToolStatus.Failed, $"the tool '{Name}' failed ({error.GetType().Name})");
        }
    }

    private static string Print(RegisteredTool tool) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{tool.Name}\n{tool.Writes}\n{tool.Description}\n{tool.Parameters.GetRawText()}")));
}
