namespace PluginHost.Runs.Decoding;

/// <summary>What a pass over some rows computes with; pinned, and made once.</summary>
internal sealed unsafe class PassMemory(int rows, int width, int fused, int attended, int feedForward)
{
    private readonly float[] hidden = Pinned(rows * width);
    private readonly float[] normal = Pinned(rows * width);
    private readonly float[] queryKeyValue = Pinned(rows * fused);
    private readonly float[] attention = Pinned(rows * attended);
    private readonly float[] gateUp = Pinned(rows * 2 * feedForward);
    private readonly float[] inner = Pinned(rows * feedForward);

    public Span<float> Hidden(int row) => hidden.AsSpan(row * width, width);

    public float* HiddenAt(int row) => At(hidden, row * width);

    public Span<float> Normal(int row) => normal.AsSpan(row * width, width);

    public float* NormalAt(int row) => At(normal, row * width);

    public Span<float> QueryKeyValue(int row) => queryKeyValue.AsSpan(row * fused, fused);

    public float* QueryKeyValueAt(int row) => At(queryKeyValue, row * fused);

    public float* AttendedAt(int row) => At(attention, row * attended);

    public Span<float> GateUp(int row) => gateUp.AsSpan(row * 2 * feedForward, 2 * feedForward);

    public float* GateUpAt(int row) => At(gateUp, row * 2 * feedForward);

    public Span<float> Inner(int row) => inner.AsSpan(row * feedForward, feedForward);

    public float* InnerAt(int row) => At(inner, row * feedForward);

    private static float[] Pinned(int count) => GC.AllocateArray<float>(count, pinned: true);

    private static float* At(float[] values, int index) => (float*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(values, index);
}
