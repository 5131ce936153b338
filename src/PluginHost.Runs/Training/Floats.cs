using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>The numbers of fp32 tensors on a CPU, for loops of our own.</summary>
internal static unsafe class Floats
{
    /// <summary>Whether these loops can run over a tensor.</summary>
    public static bool Reads(Tensor x) => x.device_type == DeviceType.CPU && x.dtype == ScalarType.Float32 && x.numel() is > 0 and <= int.MaxValue / sizeof(float);

    /// <summary>The numbers of a contiguous tensor, which must outlive their use.</summary>
    public static float* Of(Tensor x) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(x.bytes));
}
