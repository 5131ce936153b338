using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>Loops of our own over the numbers of fp32 tensors on a CPU, in blocks that do not depend on how many threads share them: nor do results.</summary>
internal static unsafe class Blocks
{
    /// <summary>Whether these loops can run over a tensor.</summary>
    public static bool Reads(Tensor x) => x.device_type == DeviceType.CPU && x.dtype == ScalarType.Float32 && x.numel() is > 0 and <= int.MaxValue / sizeof(float);

    /// <summary>The numbers of a contiguous tensor, which must outlive their use.</summary>
    public static float* Of(Tensor x) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(x.bytes));
}
