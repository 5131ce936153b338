using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using PluginHost.Campaign;
using PluginHost.Catalog;
using PluginHost.Catalog.Install;
using PluginHost.Planted;

// dotnet run -c Release --project tests/campaign -- install-kills 200
// dotnet run -c Release --project tests/campaign -- list-packages 200
// dotnet run -c Release --project tests/campaign -- resume-kills 100
// dotnet run -c Release --project tests/campaign -- planted-defects 2000
// dotnet run -c Release --project tests/campaign -- decode-speed 5
// dotnet run -c Release --project tests/campaign -- loader-resume 1000000
// dotnet run -c Release --project tests/campaign -- build-kills 100
// dotnet run -c Release --project tests/campaign -- memory-slope 5000
// dotnet run -c Release --project tests/campaign -- load-speed 1000
// dotnet run -c Release --project tests/campaign -- tokenizer-speed 20
// dotnet run -c Release --project tests/campaign -- llama-cpp-speed 5
// dotnet run -c Release --project tests/campaign -- first-paint http://localhost:8080
var metadata = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().ToDictionary(item => item.Key, item => item.Value!);
var host = Path.Combine(metadata["Root"], "src", "PluginHost", "bin", metadata["Configuration"]);
var program = Path.Combine(host, "pluginhost.dll");
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
    case ["memory-slope", var count] when int.TryParse(count, CultureInfo.InvariantCulture, out var steps) && steps >= 500:
        using (var campaign = new MemorySlope(program, Path.Combine(metadata["Root"], "host-config", "pocket.json")))
        {
            var slope = await campaign.RunAsync(steps);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{steps} steps: resident memory grows by {slope:0.00} KB a step"));
        }
        return 0;
    case ["list-packages", var count] when int.TryParse(count, CultureInfo.InvariantCulture, out var packages) && packages is > 0 and <= 1000:
        ListPackages(packages);
        return 0;
    case ["planted-defects", var count, .. var more] when int.TryParse(count, CultureInfo.InvariantCulture, out var size) && size is >= 100 and <= 2000 && more.Length <= 1:
        if (PlantedTexts.Missing is not null || Environment.GetEnvironmentVariable("PLUGINHOST_NPM") is not { } npm)
        {
            Console.Error.WriteLine(PlantedTexts.Missing ?? "PLUGINHOST_NPM names no folder: npm install --prefix FOLDER naughty-words@1.2.0 @node-rs/jieba@2.0.1 cuss@2.2.0, and PLUGINHOST_NPM=FOLDER");
            return 2;
        }
        PlantedDefects.Run(size, more is [var seed] ? int.Parse(seed, CultureInfo.InvariantCulture) : 11, Path.Combine(host, "plugins"), npm);
        return 0;
    case ["decode-speed", var count] when int.TryParse(count, CultureInfo.InvariantCulture, out var seconds) && seconds > 0:
        DecodeSpeed.Run(seconds);
        return 0;
    case ["first-paint", var address] when Uri.TryCreate(address, UriKind.Absolute, out var server):
        if (await FirstPaint.RunAsync(server)) return 0;
        Console.Error.WriteLine("first-paint needs a browser: apt-get install chromium");
        return 2;
    case ["loader-resume", var count] when long.TryParse(count, CultureInfo.InvariantCulture, out var sample) && sample > 0:
        return LoaderResume.Run(sample) ? 0 : 1;
    case ["build-kills", var count] when int.TryParse(count, CultureInfo.InvariantCulture, out var kills) && kills > 0:
        using (var campaign = new BuildKills(program, Console.WriteLine))
            await campaign.RunAsync(kills);
        return 0;
    case ["load-speed", var count] when int.TryParse(count, CultureInfo.InvariantCulture, out var megabytes) && megabytes >= 10:
        LoadSpeed.Run(megabytes);
        return 0;
    case ["tokenizer-speed", var count] when int.TryParse(count, CultureInfo.InvariantCulture, out var rounds) && rounds > 0:
        TokenizerSpeed.Run(rounds, Environment.GetEnvironmentVariable("PLUGINHOST_NPM") ?? "");
        return 0;
    case ["llama-cpp-speed", var count] when int.TryParse(count, CultureInfo.InvariantCulture, out var rounds) && rounds > 0:
        if (Environment.GetEnvironmentVariable("PLUGINHOST_NPM") is not { } peer)
        {
            Console.Error.WriteLine("PLUGINHOST_NPM names no folder: npm install --prefix FOLDER --ignore-scripts node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1, and PLUGINHOST_NPM=FOLDER");
            return 2;
        }
        using (var campaign = new LlamaCppSpeed(program, metadata["Root"], peer))
            await campaign.RunAsync(rounds);
        return 0;
    default:
        Console.Error.WriteLine("usage: install-kills COUNT | list-packages COUNT | resume-kills COUNT | planted-defects COUNT [SEED] | decode-speed SECONDS | loader-resume SAMPLE | build-kills COUNT | memory-slope STEPS | load-speed MEGABYTES | tokenizer-speed ROUNDS | llama-cpp-speed ROUNDS | first-paint ADDRESS");
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
