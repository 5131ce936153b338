using PluginHost.Catalog.Unloading;

namespace PluginHost.Catalog.Children;

/// <summary>Where a child process of the host begins. Its first argument says what it is for.</summary>
internal static class ChildProgram
{
    public const string Roots = "roots";

    public static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case [Roots, var process, var handle]:
                return RootFinder.Run(process, handle, Console.In, Console.Out);
            default:
                Console.Error.WriteLine("PluginHost.Catalog is started by a host only; the program is pluginhost.");
                return 2;
        }
    }
}
