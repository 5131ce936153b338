using System.IO.Compression;
using PluginHost.Sdk;
using UglyToad.PdfPig;
using UglyToad.PdfPig.DocumentLayoutAnalysis.TextExtractor;

namespace PluginHost.Retrieval.Documents;

/// <summary>PDF page by page. Its compressed streams are first unpacked into nothing, so that a small file which would fill the memory is refused before it does.</summary>
internal static class PdfFile
{
    private const long MostUnpacked = 512L << 20;
    private const int MostPages = 20_000;
    private const int Layers = 3; // a stream may be packed several times over

    public static IReadOnlyList<Passage> Read(string name, byte[] content, CancellationToken cancellation)
    {
        if (content.AsSpan(0, Math.Min(content.Length, 1024)).IndexOf("%PDF-"u8) < 0) throw new UserErrorException($"{name}: is no PDF: it does not begin with %PDF-");
        RefuseBomb(name, content, cancellation);
        // The parser asks nobody whether it may go on: who waits for it gives up, and its thread ends when it does.
        var reading = Task.Factory.StartNew(() => Parse(name, content, cancellation), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Task.WaitAny([reading], cancellation);
        return reading.GetAwaiter().GetResult();
    }

    private static List<Passage> Parse(string name, byte[] content, CancellationToken cancellation)
    {
        try
        {
            using var document = PdfDocument.Open(content);
            if (document.NumberOfPages > MostPages) throw new UserErrorException($"{name}: has {document.NumberOfPages} pages, and a document may have {MostPages}");
            var passages = new List<Passage>();
            foreach (var page in document.GetPages())
            {
                cancellation.ThrowIfCancellationRequested();
                if (ContentOrderTextExtractor.GetText(page).Trim() is { Length: > 0 } text) passages.Add(new Passage($"page {page.Number}", text.ReplaceLineEndings("\n")));
            }
            return passages.Count > 0 ? passages : throw new UserErrorException($"{name}: has no text (a scan?): its pages would have to be read as pictures");
        }
        catch (Exception error) when (error is not (UserErrorException or OperationCanceledException or OutOfMemoryException))
        {
            // Whatever a damaged file makes the parser throw.
            throw new UserErrorException($"{name}: cannot be read as PDF: {error.Message}");
        }
    }

    private static void RefuseBomb(string name, byte[] content, CancellationToken cancellation)
    {
        var unpacked = 0L;
        for (var at = 0; content.AsSpan(at).IndexOf("stream"u8) is var next and >= 0;)
        {
            at += next + "stream"u8.Length;
            var begin = at;
            while (begin < content.Length && content[begin] is (byte)'\r' or (byte)'\n') begin++;
            // The first byte of zlib's format as everybody writes it.
            if (begin >= content.Length || content[begin] != 0x78) continue;
            unpacked += Unpacked(new MemoryStream(content, begin, content.Length - begin), Layers, MostUnpacked - unpacked, cancellation);
            if (unpacked >= MostUnpacked) throw new UserErrorException($"{name}: unpacks to more than {MostUnpacked >> 20} MB; it is no document to be read");
        }
    }

    // Bytes that come out, up to a limit, through all layers.
    private static long Unpacked(Stream packed, int layers, long limit, CancellationToken cancellation)
    {
        var buffer = new byte[1 << 16];
        var total = 0L;
        try
        {
            using var stream = new ZLibStream(packed, CompressionMode.Decompress);
            var read = stream.Read(buffer);
            total += read;
            if (layers > 1 && read > 1 && buffer[0] == 0x78) return Math.Max(total, Unpacked(new Joined(buffer[..read], stream), layers - 1, limit, cancellation));
            while (total < limit && (read = stream.Read(buffer)) > 0)
            {
                total += read;
                cancellation.ThrowIfCancellationRequested();
            }
        }
        catch (InvalidDataException)
        {
            // The end of the stream, or none of this format: what came out counts.
        }
        return total;
    }

    // What has been read already, and the rest.
    private sealed class Joined(byte[] head, Stream rest) : Stream
    {
        private int at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (at == head.Length) return rest.Read(buffer, offset, count);
            var taken = Math.Min(count, head.Length - at);
            head.AsSpan(at, taken).CopyTo(buffer.AsSpan(offset));
            at += taken;
            return taken;
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
