namespace PluginHost.Serving.Tools.Mcp;

/// <summary>A stream that is read and ends in an error when it is longer than allowed.</summary>
internal class CappedBytes(Stream inner, int most) : Stream
{
    private long count;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        Check(buffer.Span[..read]);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = inner.Read(buffer, offset, count);
        Check(buffer.AsSpan(offset, read));
        return read;
    }

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Bytes that count towards the limit after some more were read.</summary>
    protected virtual long Count(long before, ReadOnlySpan<byte> read) => before + read.Length;

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    private void Check(ReadOnlySpan<byte> read)
    {
        count = Count(count, read);
        if (count > most) throw new IOException($"an MCP server sent a message of more than {most >> 20} MB");
    }
}

/// <summary>The same for each line.</summary>
internal sealed class CappedLines(Stream inner, int most) : CappedBytes(inner, most)
{
    protected override long Count(long before, ReadOnlySpan<byte> read) => read.LastIndexOf((byte)'\n') is var end and >= 0 ? read.Length - end - 1 : before + read.Length;
}
