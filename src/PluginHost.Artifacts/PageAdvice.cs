using System.Runtime.InteropServices;

namespace PluginHost.Artifacts;

/// <summary>
/// What the kernel is told about memory that is about to be copied to or from. A page's first touch costs more than copying it, so pages
/// are brought in many at a time. Advice: where it is not taken, only time is lost.
/// </summary>
internal static partial class PageAdvice
{
    private const int HugePages = 14;    // MADV_HUGEPAGE
    private const int PopulateRead = 22; // MADV_POPULATE_READ, since Linux 5.14
    private const long HugePage = 2 << 20;

    /// <summary>For memory that will be written as a whole: huge pages, as far as whole ones lie in it.</summary>
    public static void Fill(nint address, long count)
    {
        var begin = (address + HugePage - 1) & ~(HugePage - 1);
        var end = (address + count) & ~(HugePage - 1);
        if (OperatingSystem.IsLinux() && begin < end) _ = Advise((nint)begin, (nint)(end - begin), HugePages);
    }

    /// <summary>For a mapped file's part that will be read as a whole: its pages, all at once.</summary>
    public static void Read(nint address, long count)
    {
        var begin = address & ~(Environment.SystemPageSize - 1);
        if (OperatingSystem.IsLinux()) _ = Advise(begin, (nint)(address + count - begin), PopulateRead);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nint length, int advice);
}
