using System.Diagnostics;

namespace PluginHost.Catalog.Tests.Install;

/// <summary>A file system in memory; only root can make one. Elsewhere the failing stream above stands in for it.</summary>
internal sealed class SmallDisk : IDisposable
{
    public SmallDisk(int megabytes)
    {
        Folder = Directory.CreateTempSubdirectory("pluginhost-disk-").FullName;
        var mounted = OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", Folder);
        if (!mounted) Directory.Delete(Folder);
        Skip.IfNot(mounted, "a small file system can only be mounted by root");
    }

    public string Folder { get; }

    /// <summary>Makes it larger, with what is on it.</summary>
    public void Grow(int megabytes) => Assert.True(Run("mount", "-o", $"remount,size={megabytes}m", Folder), "the disk could not be made larger");

    public void Dispose()
    {
        Run("umount", Folder);
        Directory.Delete(Folder);
    }

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
