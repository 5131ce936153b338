using System.Globalization;
using System.Reflection;
using PluginHost.Campaign;

// dotnet run -c Release --project tests/campaign -- install-kills 200
switch (args)
{
    case ["install-kills", var count] when int.TryParse(count, CultureInfo.InvariantCulture, out var kills) && kills > 0:
        var metadata = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().ToDictionary(item => item.Key, item => item.Value!);
        var program = Path.Combine(metadata["Root"], "src", "PluginHost", "bin", metadata["Configuration"], "pluginhost.dll");
        using (var campaign = new InstallKills(program, Console.WriteLine))
            await campaign.RunAsync(kills);
        return 0;
    default:
        Console.Error.WriteLine("usage: install-kills COUNT");
        return 2;
}
