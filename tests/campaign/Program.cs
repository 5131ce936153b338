using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using PluginHost.Campaign;
using PluginHost.Catalog;
using PluginHost.Catalog.Install;

// dotnet run -c Release --project tests/campaign -- install-kills 200
// dotnet run -c Release --project tests/campaign -- list-packages 200
// dotnet run -c Release --project tests/campaign -- resume-kills 100
var metadata = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().ToDictionary(item => item.Key, item => item.Value!);
var program = Path.Combine(metadata["Root"], "src", "PluginHost", "bin", metadata["Configuration"], "pluginhost.dll");
switch (args)
{
    case ["install-kills", var count] when int.TryParse(count, CultureInfo.InvariantCulture, out var kills) && kills > 0:
        using (var campaign = new InstallKills(program, Console.WriteLine))
            await campaign.RunAsync(kills);
        return 0;
    case ["resume-kills", var count] when int.TryParse(count, CultureInfo.InvariantCulture, out var kills) && kills > 0:
        using (var campaign = new ResumeKills(program, Path.Combine(metadata["Root"], "host-config", "pocket.json"), Console.WriteLine))
            await campaign.RunAsync(kills);
        return 0;
    case ["list-packages", var count] when int.TryParse(count, CultureInfo.InvariantCulture, out var packages) && packages is > 0 and <= 1000:
        ListPackages(packages);
        return 0;
    default:
        Console.Error.WriteLine("usage: install-kills COUNT | list-packages COUNT | resume-kills COUNT");
        return 2;
}

static void ListPackages(int count)
{
    var folder = Directory.CreateTempSubdirectory("pluginhost-list-").FullName;
    try
    {
        ManyPackages.Write(Path.Combine(folder, "store"), count, Path.Combine(folder, "ran.txt"));
        for (var round = 1; round <= 5; round++)
        {
            var clock = Stopwatch.StartNew();
            using var catalog = PluginCatalog.Discover([], new PluginStore(Path.Combine(folder, "store")).Active());
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round}: {catalog.Installed.All.Count} plugins, {catalog.Installed.Faults.Count} faults, {clock.Elapsed.TotalMilliseconds:0} ms"));
        }
    }
    finally
    {
        Directory.Delete(folder, recursive: true);
    }
}
