using PluginHost.Data;
using PluginHost.Graph;

namespace PluginHost.Runs;

/// <summary>Puts a batch's values into the slots that the plan gives the sample's ports.</summary>
internal static class SlotFiller
{
    public static void Fill(GraphPlan plan, Batch batch, object?[] slots)
    {
        Put(plan, SamplePort.Image, batch.Image, slots);
        Put(plan, SamplePort.Audio, batch.Audio, slots);
        Put(plan, SamplePort.Text, batch.Text, slots);
        Put(plan, SamplePort.Caption, batch.Caption, slots);
    }

    private static void Put(GraphPlan plan, SamplePort port, object? value, object?[] slots)
    {
        var slot = plan.SampleSlots[(int)port];
        if (slot >= 0) slots[slot] = value;
    }
}
