// Keeps samples whose texts all have at least so many characters.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace PluginKind.PluginName;

/// <summary>Settings of <see cref="PluginNameFilter"/>.</summary>
/// <param name="Shortest">Fewest characters of a text.</param>
public sealed record PluginNameOptions(
    [property: Range(1, 10_000), Description("Fewest characters of a text.")] int Shortest = 8);

/// <summary>Shortest text.</summary>
[Plugin("plugin-kind.plugin-name", "Drops samples with a text of too few characters.")]
public sealed class PluginNameFilter(PluginNameOptions options) : IFilterPlugin
{
    /// <inheritdoc/>
    public IFilter Open(FilterContext context) => new Filter(options.Shortest);

    private sealed class Filter(int shortest) : IFilter
    {
        public FilterDecision Decide(Sample sample)
        {
            if (sample.Texts.Count == 0) return new FilterDecision(true, double.NaN, shortest, "no text");
            var (language, text) = sample.Texts.MinBy(pair => pair.Value.Length);
            return text.Length >= shortest
                ? new FilterDecision(true, text.Length, shortest, "kept")
                : new FilterDecision(false, text.Length, shortest, $"text '{language}' has {text.Length} characters, fewer than {shortest}");
        }

        public void Dispose()
        {
            // holds nothing
        }
    }
}
