using System.Text.Json.Nodes;
using PluginHost.Sdk;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Tuning.Prefix;

/// <summary>A set of keys and values for all slots of a tower, in the layout of PEFT: [length, layers · 2 · heads · head width], of each layer keys, then values.</summary>
internal sealed class Prefix : IDisposable
{
    private readonly IReadOnlyList<KeyValueSlot> slots;
    private readonly long length;

    public Prefix(string name, string? modality, IReadOnlyList<KeyValueSlot> slots, long length, double deviation, BuildContext context)
    {
        (Name, Modality, this.slots, this.length) = (name, modality, slots, length);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var width = slots.Sum(slot => 2 * slot.Heads * slot.HeadWidth);
        Value = (Parameter)new Parameter(randn(length, width).mul_(deviation).to(context.Dtype).to(context.Device)).DetachFromDisposeScope();
    }

    public string Name { get; }

    /// <summary>What a row must hold to see it; null: nothing.</summary>
    public string? Modality { get; }

    public Parameter Value { get; }

    /// <summary>Keys and values by slot.</summary>
    public IEnumerable<(KeyValueSlot Slot, Tensor Keys, Tensor Values)> PerSlot()
    {
        long column = 0;
        foreach (var slot in slots)
        {
            var width = slot.Heads * slot.HeadWidth;
            var parts = Value.narrow(1, column, 2 * width).view(length, 2, slot.Heads, slot.HeadWidth).permute(1, 2, 0, 3);  // [2, heads, length, head width]
            column += 2 * width;
            yield return (slot, parts.select(0, 0), parts.select(0, 1));
        }
    }

    public void Dispose() => Value.Dispose();
}

/// <summary>The prefixes of a graph.</summary>
internal sealed class Prefixes(IReadOnlyList<Prefix> prefixes, IReadOnlyList<TunedParameter> modules, JsonObject config) : ITuning
{
    public IReadOnlyList<TunedParameter> Parameters { get; } = [.. prefixes.Select(prefix => new TunedParameter(prefix.Name, prefix.Value)), .. modules];

    public double RateOfPretraining => 1;

    public JsonObject Config => config;

    public bool CanMerge => false;

    public AdapterSet Adapters(BatchMedia media)
    {
        // A set that nobody in the batch can hold is left out.
        var held = prefixes.Select(prefix => (Prefix: prefix, Rows: prefix.Modality is null ? null : media.Holding(prefix.Modality)))
            .Where(item => item.Prefix.Modality is null || item.Rows is not null).ToList();
        var slots = held.SelectMany(item => item.Prefix.PerSlot().Select(part => (part.Slot, part.Keys, part.Values, item.Rows))).GroupBy(part => part.Slot)
            .ToDictionary(group => group.Key, group => Join([.. group.Select(part => (part.Keys, part.Values, part.Rows))]));
        return new AdapterSet(AdapterSet.None.Projections, slots);
    }

    public void Train(bool on)
    {
    }

    public void Merge() => throw new InvalidOperationException("A prefix is no change of weights: it cannot be merged, and is attached instead.");

    public void Unmerge() => throw new InvalidOperationException("The adapter is not merged.");

    public void Dispose()
    {
        foreach (var prefix in prefixes) prefix.Dispose();
    }

    private static KeyValues Join(IReadOnlyList<(Tensor Keys, Tensor Values, Tensor? Rows)> sets)
    {
        if (sets is [{ Rows: null } single]) return new KeyValues(single.Keys, single.Values);
        var mask = cat([.. sets.Select(set => set.Rows!.unsqueeze(1).expand(-1, set.Keys.size(1)).to(set.Keys.device))], 1);  // [rows, all lengths]
        return new KeyValues(cat([.. sets.Select(set => set.Keys)], 1), cat([.. sets.Select(set => set.Values)], 1), mask);
    }
}
