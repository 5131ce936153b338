using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using PluginHost.Catalog;

namespace PluginHost.Runs.Profiling;

/// <summary>What this process holds of the machine's memory, in bytes. Linux tells it best; elsewhere some of it is not known.</summary>
public static partial class ProcessMemory
{
    private const string Status = "/proc/self/status";
    private static bool hasAllocator = OperatingSystem.IsLinux();
    private static long highest;

    /// <summary>Resident memory.</summary>
    public static long Resident => Read("VmRSS:") ?? Own(process => process.WorkingSet64);

    /// <summary>The most that was resident since the last <see cref="ResetPeak"/>.</summary>
    public static long Peak => Read("VmHWM:") ?? Own(process => process.PeakWorkingSet64);

    /// <summary>The most that has ever been resident.</summary>
    public static long HighestPeak => Math.Max(highest, Peak);

    /// <summary>
    /// Lets <see cref="Peak"/> begin anew, once what is no longer used is back with the system: then it is a peak of what comes, and not of what has been.
    /// </summary>
    public static void BeginPeak()
    {
        StepGate.Collect();
        try
        {
            if (OperatingSystem.IsLinux()) _ = Trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // another C library keeps what it keeps
        }
        ResetPeak();
    }

    /// <summary>What native code holds on the C library's heap; null where it does not say.</summary>
    public static long? Allocated
    {
        get
        {
            if (!hasAllocator) return null;
            try
            {
                var info = AllocatorInfo();
                return (long)(info.InUse + info.Mapped);
            }
            catch (EntryPointNotFoundException)
            {
                hasAllocator = false; // a C library other than glibc 2.33 or later
                return null;
            }
        }
    }

    /// <summary>Lets <see cref="Peak"/> begin anew, where the system can.</summary>
    public static void ResetPeak()
    {
        const string resetPeakResident = "5";
        highest = HighestPeak;
        try
        {
            if (OperatingSystem.IsLinux()) File.WriteAllText("/proc/self/clear_refs", resetPeakResident);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // then the peak is that of the whole process, which is no less
        }
    }

    private static long? Read(string key)
    {
        if (!OperatingSystem.IsLinux()) return null;
        foreach (var line in File.ReadLines(Status))
            if (line.StartsWith(key, StringComparison.Ordinal))
                return long.Parse(line.AsSpan(key.Length).Trim().TrimEnd(" kB"), CultureInfo.InvariantCulture) * 1024;
        return null;
    }

    private static long Own(Func<Process, long> what)
    {
        using var process = Process.GetCurrentProcess();
        return what(process);
    }

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    private static partial Allocator AllocatorInfo();

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint keep);

    // struct mallinfo2
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Allocator
    {
        private readonly nuint arena, freeChunks, fastChunks, mappedRegions;

        public readonly nuint Mapped;

        private readonly nuint unused, fastFree;

        public readonly nuint InUse;

        private readonly nuint free, trimmable;
    }
}
