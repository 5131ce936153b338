using PluginHost.Catalog;
using Xunit;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>metric</c>, over generated text or over embeddings.</summary>
public abstract class MetricConformance : PluginConformance
{
    /// <inheritdoc/>
    public override string Kind => "metric";

    /// <inheritdoc/>
    protected override void UseOnce() => WithMetric(compute => compute(8, 0));

    /// <summary>Values are finite numbers with names that differ; the same data gives the same.</summary>
    [Fact]
    public void Compute_Sample_IsFiniteNamedAndRepeatable() => WithMetric(compute =>
    {
        var values = compute(8, 0);
        Check(values);
        Assert.NotEmpty(values);
        Assert.Equal(values.Select(Seen), compute(8, 0).Select(Seen));
    });

    /// <summary>Nothing, one, and answers or vectors of nothing give no error and no NaN.</summary>
    [Fact]
    public void Compute_OddData_IsFinite() => WithMetric(compute =>
    {
        foreach (var (count, oddity) in new[] { (0, 0), (1, 0), (1, 1), (8, 1), (8, 2) }) Check(compute(count, oddity));
    });

    /// <summary>Calls from several threads do not disturb each other.</summary>
    [Fact]
    public void Compute_Concurrently_GivesTheSame() => WithMetric(compute =>
    {
        var expected = compute(8, 0).Select(Seen).ToArray();
        Parallel.For(0, 8, _ => Assert.Equal(expected, compute(8, 0).Select(Seen)));
    });

    /// <summary>Where a value is the mean of items, their mean it is, and where it says how many predictions it speaks of, there is one for each.</summary>
    [Fact]
    public void Compute_Items_HaveTheValueAsMean() => WithMetric(compute =>
    {
        foreach (var value in compute(8, 0).Where(value => value.Items.Count > 0))
        {
            Assert.Equal(value.Value, value.Items.Average(), 9);
            if (value.Count is { } count) Assert.Equal(count, value.Items.Count);
        }
    });

    private static (string, double, string?, int?, string) Seen(MetricValue value) => (value.Name, value.Value, value.Note, value.Count, string.Join(' ', value.Items));

    private static void Check(IReadOnlyList<MetricValue> values)
    {
        Assert.All(values, value => Assert.True(double.IsFinite(value.Value), $"{value.Name} is {value.Value}"));
        Assert.Equal(values.Count, values.Select(value => value.Name).Distinct().Count());
    }

    // compute(count, oddity): 0 is ordinary, 1 empty answers or zero vectors, 2 long answers or huge vectors.
    private void WithMetric(Action<Func<int, int, IReadOnlyList<MetricValue>>> check)
    {
        foreach (var settings in Plugin.Uses)
        {
            using var lease = Plugin.Lease(settings);
            check((count, oddity) => Compute(lease, count, oddity));
        }
    }

    private IReadOnlyList<MetricValue> Compute(PluginLease lease, int count, int oddity)
    {
        if (Plugin.Description.Implements<ITextMetric>()) return lease.As<ITextMetric>().Compute([.. Enumerable.Range(0, count).Select(i => Answer(i, oddity))]);
        if (Plugin.Description.Implements<IMediaMetric>()) return lease.As<IMediaMetric>().Compute([.. Enumerable.Range(0, count).Select(i => new JudgedAnswer(Pictured(i), Answer(i, oddity)))], Surroundings());
        using var scope = NewDisposeScope();
        var query = Embeddings(count, oddity, 0.1);
        return lease.As<IEmbeddingMetric>().Compute(query, query + Embeddings(count, oddity, 0.3) * 0.5, [.. Enumerable.Range(0, count)]);
    }

    private static Prediction Answer(int index, int oddity)
    {
        string[] said = ["a red circle is left of it", "two", "", "圆形在左边"];
        var turn = new Turn($"task-{index % 2}", "what is there?", index % 3 == 0 ? said[index % 2] : "a blue square is below it") { AlsoRight = index % 4 == 1 ? ["2"] : [] };
        return new Prediction($"sample-{index}", turn, oddity switch { 1 => "", 2 => string.Concat(Enumerable.Repeat("word ", 5000)), _ => said[index % 4] }) { Confidence = index % 8 / 8.0 };
    }

    private static Sample Pictured(int index) => new($"sample-{index}") { Image = new Picture(2, 2, [.. Enumerable.Range(0, 12).Select(i => (byte)(i * 20 + index))]) };

    // Sines: all different, and without torch's process-wide generator.
    private Tensor Embeddings(int count, int oddity, double phase)
    {
        var width = Plugin.Sample.Dimensions["D"];
        var values = (arange(count * width, dtype: ScalarType.Float32) * 1.7 + phase).sin().view(count, width);
        return oddity switch { 1 => values * 0, 2 => values * 1e6, _ => values };
    }
}
