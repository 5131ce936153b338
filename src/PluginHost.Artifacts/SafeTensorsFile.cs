using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Artifacts;

/// <summary>
/// A safetensors file, mapped into memory: its header has been checked, its tensors are copied out one by one as they are asked for, and
/// what is not asked for is never read. Nobody may shorten the file meanwhile; <see cref="SafeTensors.Write"/> replaces files and never does.
/// Safe for concurrent reads.
/// </summary>
public sealed unsafe class SafeTensorsFile : IDisposable
{
    /// <summary>The format's own limit on the header.</summary>
    private const long MaxHeader = 100_000_000;

    /// <summary>Bytes that a thread copies at once.</summary>
    private const int Portion = 8 << 20;

    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;
    private readonly SafeTensorsHeader header;
    private readonly byte* data;

    private SafeTensorsFile(string path, MemoryMappedFile file, MemoryMappedViewAccessor view, SafeTensorsHeader header, byte* data)
    {
        (Path, this.file, this.view, this.header) = (path, file, view, header);
        this.data = data;
    }

    public string Path { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafeTensorsEntry> Entries => header.Entries;

    /// <summary>The free-form texts of the header.</summary>
    public IReadOnlyDictionary<string, string> Metadata => header.Metadata;

    /// <summary>Maps a file and checks its header.</summary>
    /// <exception cref="UserErrorException">It is missing or not sound; the message says where.</exception>
    public static SafeTensorsFile Open(string path)
    {
        UserErrorException Bad(string what) => new($"{path}: not a sound safetensors file: {what}.");
        if (!File.Exists(path)) throw new UserErrorException($"{path}: there is no such file.");
        var length = new FileInfo(path).Length;
        if (length < 8) throw Bad("it is shorter than eight bytes");
        var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        MemoryMappedViewAccessor? view = null;
        byte* start = null;
        try
        {
            view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            var claimed = BinaryPrimitives.ReadInt64LittleEndian(new ReadOnlySpan<byte>(start, 8));
            if (claimed < 2 || claimed > MaxHeader || claimed > length - 8) throw Bad($"its header claims {claimed} bytes");
            var header = SafeTensorsHeader.Parse(new ReadOnlySpan<byte>(start + 8, (int)claimed), length - 8 - claimed);
            return new SafeTensorsFile(path, file, view, header, start + 8 + claimed);
        }
        catch (Exception error)
        {
            if (start != null) view!.SafeMemoryMappedViewHandle.ReleasePointer();
            view?.Dispose();
            file.Dispose();
            throw error is FormatException ? Bad(error.Message) : error;
        }
    }

    /// <summary>A tensor on the CPU that no dispose scope owns.</summary>
    /// <param name="name">One of <see cref="Entries"/>.</param>
    /// <param name="widen">Whether bf16 and fp16 become fp32, in which a CPU computes.</param>
    /// <exception cref="UserErrorException">Its bytes are no values of its type.</exception>
    public Tensor Load(string name, bool widen = false)
    {
        var entry = Entries[name];
        var value = empty([.. entry.Shape], dtype: entry.Type).DetachFromDisposeScope();
        try
        {
            Fill(entry, value);
            if (!widen || entry.Type is not (ScalarType.Float16 or ScalarType.BFloat16)) return value;
            var wide = value.to(ScalarType.Float32).DetachFromDisposeScope();
            value.Dispose();
            return wide;
        }
        catch
        {
            value.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file.Dispose();
    }

    private void Fill(SafeTensorsEntry entry, Tensor value)
    {
        if (entry.Bytes == 0) return;
        var from = (nint)(data + entry.Begin);
        // Any other byte than 0 or 1 in a bool is nothing that libtorch reckons with.
        if (entry.Type == ScalarType.Bool && new ReadOnlySpan<byte>((byte*)from, checked((int)entry.Bytes)).ContainsAnyExceptInRange((byte)0, (byte)1))
            throw new UserErrorException($"{Path}: not a sound safetensors file: '{entry.Name}' is of type BOOL and holds other bytes than 0 and 1.");
        nint to;
        using (var flat = value.view(-1))
        using (var first = flat.narrow(0, 0, 1))  // spans end at 2 GB, tensors do not
            fixed (byte* address = first.bytes) to = (nint)address;
        PageAdvice.Fill(to, entry.Bytes);
        var portions = (entry.Bytes + Portion - 1) / Portion;
        if (portions == 1) Copy(0);
        else Parallel.For(0, portions, Copy);

        void Copy(long portion)
        {
            var begin = portion * Portion;
            var count = Math.Min(Portion, entry.Bytes - begin);
            PageAdvice.Read(from + (nint)begin, count);
            Buffer.MemoryCopy((byte*)from + begin, (byte*)to + begin, count, count);
        }
    }
}
