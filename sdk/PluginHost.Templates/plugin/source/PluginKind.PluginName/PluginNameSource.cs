// Sums, with a question each: "3 + 4" -> "7". Every sample is a function of its id alone.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace PluginKind.PluginName;

/// <summary>Generated sums.</summary>
[Plugin("plugin-kind.plugin-name", "Generated sums with questions and exact answers.")]
public sealed class PluginNameSource(PluginNameOptions options) : ISourcePlugin
{
    /// <inheritdoc/>
    public ISource Open(SourceContext context) => new Sums(options);
}

/// <summary>Settings of <see cref="PluginNameSource"/>.</summary>
public sealed record PluginNameOptions(
    [property: Range(1, 10_000), Description("Both numbers are below this.")] int Below = 20);

internal sealed class Sums : ISource
{
    private readonly Dictionary<string, List<Sample>> samples = [];

    public Sums(PluginNameOptions options)
    {
        Fingerprint = $"plugin-kind.plugin-name 1 {options}";
        for (var a = 0; a < options.Below; a++)
            for (var b = 0; b < options.Below; b++)
            {
                var sample = new Sample($"{a}+{b}")
                {
                    Texts = new Dictionary<string, string> { ["en"] = $"{a} + {b} = {a + b}" },
                    Turns = [new Turn("sum", $"{a} + {b}", $"{a + b}")],
                };
                var split = PluginHost.Sdk.Splits.Of(sample.Id);
                if (!samples.TryGetValue(split, out var list)) samples[split] = list = [];
                list.Add(sample);
            }
    }

    public IReadOnlyList<string> Splits { get; } = [PluginHost.Sdk.Splits.Train, PluginHost.Sdk.Splits.Validation, PluginHost.Sdk.Splits.Test];

    public string Fingerprint { get; }

    public int Count(string split) => samples.TryGetValue(split, out var list) ? list.Count : 0;

    public Sample Read(string split, int index) => samples[split][index];

    public void Dispose()
    {
        // holds nothing open
    }
}
