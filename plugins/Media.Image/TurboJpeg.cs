using System.Runtime.InteropServices;

namespace Media.Image;

/// <summary>
/// libjpeg-turbo's own interface (turbojpeg.h, 2.x and 3.x), where it is installed: Skia's copy is built without vector instructions and takes twice as
/// long.
/// </summary>
internal static class TurboJpeg
{
    private const string Library = "libturbojpeg.so.0";
    private const int Rgba = 7;

    public static bool IsInstalled { get; } = NativeLibrary.TryLoad(Library, out _);

    /// <summary>Decodes into rows of four bytes a pixel, at the largest part of the picture in eighths that fits.</summary>
    /// <param name="jpeg">The whole file.</param>
    /// <param name="pixels">Room for width x height pixels.</param>
    /// <returns>False when anything at all is wrong with the file; another decoder may know better.</returns>
    public static bool TryDecode(byte[] jpeg, int width, int height, nint pixels)
    {
        if (!IsInstalled) return false;
        var handle = tjInitDecompress();
        if (handle == 0) return false;
        try
        {
            return tjDecompress2(handle, jpeg, (nuint)jpeg.Length, pixels, width, 4 * width, height, Rgba, 0) == 0;
        }
        finally
        {
            _ = tjDestroy(handle);
        }
    }

    [DllImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint tjInitDecompress();

    [DllImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int tjDecompress2(nint handle, byte[] jpeg, nuint size, nint pixels, int width, int pitch, int height, int format, int flags);

    [DllImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int tjDestroy(nint handle);
}
