using PluginHost.Data;
using PluginHost.Graph;
using PluginHost.Sdk;
using TorchSharp;

namespace PluginHost.Runs;

/// <summary>Puts a batch's values into the slots that the plan gives the sample's ports.</summary>
internal static class SlotFiller
{
    public static void Fill(GraphPlan plan, Batch batch, object?[] slots)
    {
        Put(plan, SamplePort.Image, batch.Image, slots);
        Put(plan, SamplePort.Audio, batch.Audio, slots);
        Put(plan, SamplePort.Video, batch.Video, slots);
        Put(plan, SamplePort.Text, batch.Text, slots);
        Put(plan, SamplePort.Caption, batch.Caption, slots);
        Put(plan, SamplePort.Candidates, batch.Candidates, slots);
        Put(plan, SamplePort.Query, batch.Query, slots);
        Put(plan, SamplePort.Passage, batch.Passage, slots);
        Put(plan, SamplePort.Negative, batch.Negative, slots);
    }

    /// <summary>Tokens of a batch that the graph reads.</summary>
    public static long Tokens(GraphPlan plan, Batch batch)
    {
        long Read(SamplePort port, TextBatch? text) => plan.SampleSlots[(int)port] < 0 || text is null ? 0 : text.Mask.sum().ToInt64();
        return Read(SamplePort.Text, batch.Text) + Read(SamplePort.Caption, batch.Caption) + Read(SamplePort.Candidates, batch.Candidates)
            + Read(SamplePort.Query, batch.Query) + Read(SamplePort.Passage, batch.Passage) + Read(SamplePort.Negative, batch.Negative);
    }

    /// <summary>How many candidates a graph wants for a question: 0 when it reads none.</summary>
    public static int Candidates(GraphPlan plan, int wanted) => plan.SampleSlots[(int)SamplePort.Candidates] < 0 ? 0 : wanted;

    private static void Put(GraphPlan plan, SamplePort port, object? value, object?[] slots)
    {
        var slot = plan.SampleSlots[(int)port];
        if (slot >= 0) slots[slot] = value;
    }
}
