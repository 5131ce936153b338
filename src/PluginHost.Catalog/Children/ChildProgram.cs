using System.Globalization;
using PluginHost.Catalog.Isolation;
using PluginHost.Catalog.Unloading;

namespace PluginHost.Catalog.Children;

/// <summary>Where a child process of the host begins. Its first argument says what it is for.</summary>
internal static class ChildProgram
{
    public const string Plugin = "plugin";
    public const string Roots = "roots";
    public const string Stop = "stop";
    public const string GoOn = "go-on";

    public static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case [Roots, var process, var handle, var stop]:
                return RootFinder.Run(
                    int.Parse(process, CultureInfo.InvariantCulture), ulong.Parse(handle, NumberStyles.HexNumber, CultureInfo.InvariantCulture), stop == Stop, Console.In, Console.Out);
            case [Plugin]:
                return PluginServer.Run(Console.OpenStandardInput(), Console.OpenStandardOutput());
            default:
                Console.Error.WriteLine("PluginHost.Catalog is started by a host only; the program is pluginhost.");
                return 2;
        }
    }
}
