using System.IO.MemoryMappedFiles;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Index.Sqlite;

/// <summary>
/// Vectors one behind the other in a file, in slots of one width, as little-endian fp32. What is written is on the disk when <see cref="Write"/> returns; which slots count is said elsewhere.
/// Reading while it is written is for the owner to prevent.
/// </summary>
internal sealed unsafe class VectorFile : IDisposable
{
    private const int FirstSlots = 1024;

    private readonly FileStream file;
    private readonly int width;
    private MemoryMappedFile? map;
    private MemoryMappedViewAccessor? view;
    private float* start;
    private long mapped; // slots

    public VectorFile(string path, int width)
    {
        this.width = width;
        file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        Map();
    }

    /// <summary>Slots that the file has room for.</summary>
    public long Slots => mapped;

    /// <summary>The vector in a slot.</summary>
    public ReadOnlySpan<float> this[int slot] => slot < mapped ? new(start + (long)slot * width, width) : throw new ArgumentOutOfRangeException(nameof(slot));

    /// <summary>The dot product of a vector with that of a slot.</summary>
    public float Dot(ReadOnlySpan<float> vector, int slot) => TensorPrimitives.Dot(vector, this[slot]);

    /// <summary>Writes vectors into slots, and flushes them.</summary>
    public void Write(IReadOnlyList<(int Slot, ReadOnlyMemory<float> Vector)> vectors)
    {
        if (vectors.Count == 0) return;
        Reserve(vectors.Max(item => item.Slot) + 1L);
        foreach (var (slot, vector) in vectors) RandomAccess.Write(file.SafeFileHandle, MemoryMarshal.AsBytes(vector.Span), (long)slot * width * sizeof(float));
        RandomAccess.FlushToDisk(file.SafeFileHandle);
    }

    public void Dispose()
    {
        Unmap();
        file.Dispose();
    }

    private void Reserve(long slots)
    {
        if (slots <= mapped) return;
        Unmap();
        RandomAccess.SetLength(file.SafeFileHandle, Math.Max(FirstSlots, Math.Max(slots, 2 * mapped)) * width * sizeof(float));
        Map();
    }

    private void Map()
    {
        mapped = RandomAccess.GetLength(file.SafeFileHandle) / (width * sizeof(float));
        if (mapped == 0) return;
        map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* pointer = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        start = (float*)pointer;
    }

    private void Unmap()
    {
        view?.SafeMemoryMappedViewHandle.ReleasePointer();
        view?.Dispose();
        map?.Dispose();
        (map, view, mapped) = (null, null, 0);
        start = null;
    }
}
