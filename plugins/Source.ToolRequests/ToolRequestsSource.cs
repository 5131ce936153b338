// Requests that one of several functions answers, with the call that is right: a set of instructions to learn tool calling from. Six functions over the words of the embedded scenes, under many
// names and descriptions, stand among others that are made up anew each time (a verb and a noun, often of syllables that mean nothing), so that only reading the list of functions helps. Tasks:
// 'call' is the whole; 'name', the right function's name alone, and 'repeat', names to be said again, teach its parts.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Source.ToolRequests;

/// <summary>Settings of <c>source.tool-requests</c>.</summary>
/// <param name="Train">Samples to train on.</param>
/// <param name="Held">Samples of each of the splits validation, test and unseen.</param>
/// <param name="Tools">Functions offered at most, the right one among them; in the splits test and unseen all eight.</param>
public sealed record ToolRequestsOptions(
    [property: Range(1, 10_000_000), Description("Samples to train on.")] int Train = 50_000,
    [property: Range(1, 100_000), Description("Samples of each of the splits validation, test and unseen.")] int Held = 100,
    [property: Range(2, 8), Description("Functions offered in training at most, the right one among them; in the splits test and unseen there are always eight.")] int Tools = 8);

/// <summary>Synthetic requests.</summary>
[Plugin("source.tool-requests", "Requests in words, the functions that may be called, and the call that is right; held-out wordings, and two functions that no training sample has.")]
public sealed class ToolRequestsSource(ToolRequestsOptions options) : ISourcePlugin
{
    /// <inheritdoc/>
    public ISource Open(SourceContext context) => new ToolRequests(options);
}
